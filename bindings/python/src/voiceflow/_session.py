"""One loaded model: audio in, activity and embeddings out."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import byref, c_size_t
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _abi
from ._arguments import array, floats, whole
from ._call import LongCall, ShortCall
from ._cancel import Cancel
from ._errors import InvalidArgumentError
from ._handle import Owned, address, read_number
from ._library import check, library
from ._model import Model
from ._options import SessionOptions, takes

if TYPE_CHECKING:
    from typing_extensions import Unpack

# 60 s of audio, which take the network about a third of a second.
_LONG_SAMPLES = 960_000
# Lengths of rows whose number of frames is remembered.
_LENGTHS = 1024

Result = TypeVar("Result")


class Inference(NamedTuple):
    """What the network says of audio."""

    activity: NDArray[np.float32]
    """[batch, frames, max_speakers] probabilities, 0 to 1, that a local speaker speaks."""
    embedding: NDArray[np.float32]
    """[batch, max_speakers, embedding_dim]: for each local speaker a voice of unit length, or zeros."""

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {list(values.shape)}" for name, values in self._asdict().items())
        return f"<Inference: {shapes}>"


class Session(Model):
    """One loaded model. Most programs want a `Diarizer`.

        with Session(threads=1) as session:
            activity, embedding = session.infer(windows)

    Any number of threads may use a session at once; `slots` says how many runs go on side by side.
    """

    _kind = "session"
    _option_names = SessionOptions.__optional_keys__

    @takes(SessionOptions)
    def __init__(
        self,
        *,
        load_cancel: Cancel | None = None,
        load_deadline_ms: int | None = None,
        **options: Unpack[SessionOptions],
    ) -> None:
        """Loads the model. Ctrl-C ends that too.

        load_cancel: a switch that ends the load with `CancelledError`.
        load_deadline_ms: milliseconds after which the load ends with `DeadlineError`, 0 or more; None for no
            deadline. That of the calls is the option `deadline_ms`.

        Options, those of `SessionOptions`:

        """
        self._open(options, load_cancel, load_deadline_ms)
        info = self.info
        self._speakers, self._dim = info.max_speakers, info.embedding_dim
        self._frames: dict[int, int] = {}
        vf = library()
        self._infer, self._infer_cancellable = vf.vf_session_infer, vf.vf_session_infer_cancellable

    def frames(self, samples: int) -> int:
        """Frames that the network makes of a row of `samples`: one for each whole frame step of the model.

        samples: at least one frame step, at most 960,000 (60 s). No network is run.
        """
        owned = self._borrow()
        with ShortCall():
            rows = whole(samples, "samples")
            return int(read_number(library().vf_session_frames, c_size_t(), owned.pointer, rows))

    def infer(
        self,
        audio: ArrayLike,
        *,
        out: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
        cancel: Cancel | None = None,
    ) -> Inference:
        """Runs the network on windows.

        audio: [batch, samples] or [samples], mono, 16 kHz, -1 to 1. float32 without gaps is read where it
            lies; int16 and int32 are scaled to -1 to 1, float64 is rounded, and other types are refused. It
            must not be changed meanwhile.
        out: arrays that receive the activity [batch, frames, max_speakers] and the embedding [batch,
            max_speakers, embedding_dim], float32 without gaps, and that are returned. Without the axis batch
            where `audio` has none.
        cancel: a switch that ends the call with `CancelledError`.
        """
        owned = self._owned or self._borrow()
        rows = floats(array(audio, "audio"), "audio")
        shape = rows.shape
        if len(shape) == 2:
            batch, samples = shape
            lead: tuple[int, ...] = (batch,)
        elif len(shape) == 1:
            batch, samples, lead = 1, shape[0], ()
        else:
            raise InvalidArgumentError(
                f"audio: expected the shape [batch, samples] or [samples], got {list(shape)}"
            )
        frames = self._frames.get(samples)
        if frames is None:
            if len(self._frames) >= _LENGTHS:
                self._frames.clear()
            # As a long call, however short: not as `frames` does it, which nothing ends.
            frames = self._frames[samples] = self._long(
                lambda switch: self._learn(owned, rows, min(batch, 1), samples, switch), cancel
            )
        activity_shape, embedding_shape = (*lead, frames, self._speakers), (*lead, self._speakers, self._dim)
        if out is None:
            result = Inference(np.empty(activity_shape, np.float32), np.empty(embedding_shape, np.float32))
        else:
            result = Inference(*out)
            _check_room(result.activity, activity_shape, "activity")
            _check_room(result.embedding, embedding_shape, "embedding")
        if rows.size > _LONG_SAMPLES:
            self._long(lambda switch: self._call(owned, rows, batch, samples, result, switch), cancel)
            return result
        with ShortCall():
            self._call(owned, rows, batch, samples, result, cancel)
        return result

    def _call(
        self,
        owned: Owned,
        rows: NDArray[np.float32],
        batch: int,
        samples: int,
        result: Inference,
        cancel: Cancel | None,
    ) -> None:
        activity, embedding = result
        n = byref(c_size_t())
        arguments = (
            owned.pointer,
            address(rows),
            batch,
            samples,
            address(activity),
            activity.size,
            n,
            address(embedding),
            embedding.size,
            byref(c_size_t()),
            byref(c_size_t()),
        )
        if cancel is None:
            status = self._infer(*arguments)
        else:
            switch = cancel._borrow()
            status = self._infer_cancellable(*arguments, switch.pointer)
        if status:
            check(status)

    def _learn(
        self, owned: Owned, rows: NDArray[np.float32], batch: int, samples: int, switch: Cancel
    ) -> int:
        """The frames of a row: the network is run on the first one, without room for what it says."""
        frames, n = c_size_t(), byref(c_size_t())
        status = self._infer_cancellable(
            owned.pointer,
            address(rows),
            batch,
            samples,
            None,
            0,
            n,
            None,
            0,
            byref(c_size_t()),
            byref(frames),
            switch._borrow().pointer,
        )
        if status != _abi.BUFFER_TOO_SMALL:
            check(status)
        return frames.value

    @staticmethod
    def _long(work: Callable[[Cancel], Result], cancel: Cancel | None) -> Result:
        # A switch of its own: what ends this call must not end others with the caller's switch.
        switch = Cancel()
        if cancel is not None and cancel.is_set:
            switch.set()
        return LongCall(lambda: work(switch), cancel=cancel, end=switch.set).run()


def _check_room(room: object, shape: tuple[int, ...], what: str) -> None:
    if (
        not isinstance(room, np.ndarray)
        or room.dtype != np.float32
        or room.shape != shape
        or not (room.flags.c_contiguous and room.flags.aligned and room.flags.writeable)
    ):
        said = (
            f"{room.dtype} {list(room.shape)}{'' if room.flags.c_contiguous else ' with gaps'}"
            f"{'' if room.flags.aligned else ' that is not aligned'}"
            f"{'' if room.flags.writeable else ' that cannot be written'}"
            if isinstance(room, np.ndarray)
            else type(room).__name__
        )
        raise InvalidArgumentError(
            f"out {what}: expected a float32 array {list(shape)} without gaps, got {said}"
        )
