"""The conditions of one call: keyword arguments here, a struct in the C interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ctypes import byref, sizeof
from typing import Any, TypedDict

from . import _abi
from ._arguments import switch, whole
from ._cancel import Cancel
from ._enums import Stage
from ._errors import InvalidArgumentError
from ._handle import Owned

_UINT64_MAX = 2**64 - 1

Progress = Callable[[Stage, float], object]
"""Gets how far a call is: the stage, and the fraction of it that is done, 0 to 1."""


class CallOptions(TypedDict, total=False):
    """Conditions of one call that may take long. What is not given, or None, asks for nothing.

    cancel: A switch that ends the call with `CancelledError`.
    deadline_ms: Milliseconds from the start of the call after which it ends with `DeadlineError`, 0
        or more.
    progress: Gets the `Stage` and the fraction of it that is done, 0 to 1, on the thread that waits
        for the call, which goes on afterwards. An exception in it ends the call and is raised; what
        it returns means nothing.
    """

    cancel: Cancel | None
    deadline_ms: int | None
    progress: Progress | None


class RecordingOptions(CallOptions, total=False):
    """Conditions of one call that reads a recording.

    channel: The channel that is used, 1 to 32, in place of the mean of all; 1 is the left one.
    track: The audio track that is used, 1 to 32, in place of the one that has the speech.
    """

    channel: int | None
    track: int | None


class ResultOptions(CallOptions, total=False):
    """Conditions of one call that gives a `Diarization`.

    num_speakers: Exactly so many speakers, 1 to 100, in place of those of the diarizer's options.
        Not with either of the next two.
    min_speakers: At least so many speakers, 0 to 100.
    max_speakers: At most so many speakers, 1 to 100.
    exclusive: True for a result without overlap: where several speakers talk, the most active one
        has the time.
    """

    num_speakers: int | None
    min_speakers: int | None
    max_speakers: int | None
    exclusive: bool | None


class ProcessOptions(ResultOptions, RecordingOptions, total=False):
    """Conditions of one call that gives the `Diarization` of a recording.

    separate_channels: True for each channel by itself, for recordings with a party on each: no two
        have a speaker in common, and labels are "CH1_SPEAKER_00" and so on. Not with `channel`.
    all_tracks: True for each audio track by itself: no two have a speaker in common, and labels are
        "TRACK1_SPEAKER_00" and so on. Not with `track`.
    """

    separate_channels: bool | None
    all_tracks: bool | None


_NUMBERS = {
    "deadline_ms": _abi.CALL_DEADLINE,
    "num_speakers": _abi.CALL_NUM_SPEAKERS,
    "min_speakers": _abi.CALL_MIN_SPEAKERS,
    "max_speakers": _abi.CALL_MAX_SPEAKERS,
    "channel": _abi.CALL_CHANNEL,
    "track": _abi.CALL_TRACK,
}
_SWITCHES = {
    "exclusive": _abi.CALL_EXCLUSIVE,
    "separate_channels": _abi.CALL_SEPARATE_CHANNELS,
    "all_tracks": _abi.CALL_ALL_TRACKS,
}


class Conditions:
    """The conditions of one call, checked. The library refuses what the call at hand has no use
    for."""

    __slots__ = ("_struct", "cancel", "progress")

    def __init__(self, given: Mapping[str, Any]) -> None:
        """`given`: keyword arguments by the names of `ProcessOptions`."""
        for name in given:
            if name not in ProcessOptions.__optional_keys__:
                known = ", ".join(sorted(ProcessOptions.__optional_keys__))
                raise TypeError(f"{name}: expected a condition among {known}")
        self.cancel: Cancel | None = given.get("cancel")
        if self.cancel is not None and not isinstance(self.cancel, Cancel):
            raise InvalidArgumentError(f"cancel: expected a Cancel, got {self.cancel!r}")
        self.progress: Progress | None = given.get("progress")
        if self.progress is not None and not callable(self.progress):
            raise InvalidArgumentError(f"progress: expected a function, got {self.progress!r}")
        struct = self._struct = _abi.CallStruct(size=sizeof(_abi.CallStruct))
        for name, flag in _NUMBERS.items():
            if given.get(name) is not None:
                setattr(struct, name, whole(given[name], name, _UINT64_MAX))
                struct.flags |= flag
        for name, flag in _SWITCHES.items():
            if given.get(name) is not None and switch(given[name], name):
                struct.flags |= flag

    def switch(self) -> Owned:
        """A switch for one call, which is set with that of the caller and can be set alone."""
        if self.cancel is None:
            return Owned("vf_cancel_create", "vf_cancel_destroy")
        parent = self.cancel._borrow()
        return Owned("vf_cancel_create_child", "vf_cancel_destroy", parent.pointer)

    def pointer(self, switch: Owned | None, report: Any = None) -> Any:
        """The struct with a switch and a progress callback, for the library; it keeps both."""
        if switch is not None:
            self._struct.cancel, self._struct.switch = switch.pointer, switch
        if report is not None:
            self._struct.progress = report
        return byref(self._struct)

    def for_short(self) -> Any:
        """The struct for a call that nothing ends but the switch and the deadline of the caller."""
        return self.pointer(None if self.cancel is None else self.cancel._borrow())
