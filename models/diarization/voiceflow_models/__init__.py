"""Training and export of the libvoiceflow joint local diarizer.

The way of the data::

    sources ─> simulate (rooms, noise) ─> windows ─> train (model, losses) ─> export (golden)
                                            ^
                                         teacher
"""
