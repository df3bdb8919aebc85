"""A switch that ends calls."""

from __future__ import annotations

from ._handle import Handle, Owned
from ._library import check, library


class Cancel(Handle):
    """A switch by which any thread ends calls that were given it, with `CancelledError`. It stays
    set.

    cancel = Cancel()
    threading.Timer(2.0, cancel.set).start()
    diarizer.process("meeting.wav", cancel=cancel)
    """

    def __init__(self) -> None:
        self._owned = Owned("vf_cancel_create", "vf_cancel_destroy")
        self._set = False

    def __repr__(self) -> str:
        return f"<Cancel: {'closed' if self.closed else 'set' if self._set else 'not set'}>"

    def set(self) -> None:
        """Ends the calls with this switch soon, and later ones at once.

        Any thread may do so, also in a progress callback.
        """
        owned = self._borrow()
        self._set = True
        check(library().vf_cancel_set(owned.pointer))

    @property
    def is_set(self) -> bool:
        """Whether `set` was called."""
        return self._set
