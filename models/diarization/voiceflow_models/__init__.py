"""Training and export of the libvoiceflow joint local diarizer.

The way of the data::

    data: sources ─> simulate (turns, rooms, noise, channel) ─> windows ─> training ─> export ─> evaluation
                                                                   ^          ^
                                                    teachers: segmentation, voices

``networks`` holds what is trained, ``layout`` the constants that all of them share.
"""
