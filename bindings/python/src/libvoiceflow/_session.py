"""One loaded model: audio in, activity and embeddings out."""

from __future__ import annotations

from ctypes import byref, c_size_t
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arguments import FLOAT32, array, floats, whole
from ._call import ShortCall, make
from ._calls import Calls
from ._cancel import Cancel
from ._conditions import CallOptions, Conditions, Progress
from ._errors import InvalidArgumentError
from ._handle import Owned, address, read_number
from ._library import check, library
from ._model import Model
from ._options import ModelOptions, SessionOptions, takes

if TYPE_CHECKING:
    from typing_extensions import Unpack

# 60 s of audio, which take the network about a third of a second.
_LONG_SAMPLES = 960_000


class Inference(NamedTuple):
    """What the network says of audio."""

    activity: NDArray[np.float32]
    """[batch, frames, max_speakers] probabilities, 0 to 1, that a local speaker speaks."""
    embedding: NDArray[np.float32]
    """[batch, max_speakers, embedding_dim]: for each local speaker an embedding of unit length, or
    zeros."""

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

    @takes(ModelOptions, SessionOptions)
    def __init__(
        self,
        *,
        cancel: Cancel | None = None,
        deadline_ms: int | None = None,
        progress: Progress | None = None,
        **options: Unpack[SessionOptions],
    ) -> None:
        """Loads the model.

        cancel, deadline_ms, progress: conditions of the load, see `CallOptions`. Ctrl-C ends it
            too.

        Options, those of `SessionOptions`:

        """
        self._open(options, Conditions({"cancel": cancel, "deadline_ms": deadline_ms, "progress": progress}))
        info = self.info
        self._speakers, self._dim = info.max_speakers, info.embedding_dim
        self._step = info.frame_step_samples
        self._calls = Calls(options.get("slots") or 1)
        self._infer = library().vf_session_infer

    @takes(ModelOptions, SessionOptions)
    def reload(
        self,
        *,
        cancel: Cancel | None = None,
        deadline_ms: int | None = None,
        progress: Progress | None = None,
        **options: Unpack[SessionOptions],
    ) -> None:
        """Puts another model, or other options, in the place of those that it has, while it is in
        use.

        The new version is loaded beside the running one, checked, and tried on a smoke recording.
        Then it takes over at once: calls under way end on the version that they began with. A
        failure changes nothing. The new model has the sizes of the running one.

        cancel, deadline_ms, progress: conditions of the reload, see `CallOptions`. Ctrl-C ends it
            too.

        Options, all of those of the new version:

        """
        self._exchange(
            options, Conditions({"cancel": cancel, "deadline_ms": deadline_ms, "progress": progress})
        )

    def frames(self, samples: int) -> int:
        """Frames that the network makes of a row of `samples`: one for each whole frame step of the
        model.

        samples: at least one frame step, at most 960,000 (60 s). No network is run.
        """
        owned = self._borrow()
        with ShortCall():
            rows = whole(samples, "samples")
            return int(read_number(library().vf_session_frames, c_size_t(), owned.pointer, rows))

    @takes(CallOptions)
    def infer(
        self,
        audio: ArrayLike,
        *,
        out: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
        **call: Unpack[CallOptions],
    ) -> Inference:
        """Runs the network on windows.

        audio: [batch, samples] or [samples], mono, 16 kHz, -1 to 1. float32 without gaps is read
            where it lies; int16 and int32 are scaled to -1 to 1, float64 is rounded, and other
            types are refused. It must not be changed meanwhile.
        out: arrays that receive the activity [batch, frames, max_speakers] and the embedding
            [batch, max_speakers, embedding_dim], float32 without gaps, and that are returned.
            Without the axis batch where `audio` has none.

        Ctrl-C ends the call, a short one once it is done. Conditions of it, those of `CallOptions`:

        """
        conditions = Conditions(call) if call else None
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
        # As `frames` gives it; what it refuses, the library refuses here too.
        frames = samples // self._step
        activity_shape, embedding_shape = (*lead, frames, self._speakers), (*lead, self._speakers, self._dim)
        if out is None:
            result = Inference(np.empty(activity_shape, np.float32), np.empty(embedding_shape, np.float32))
        else:
            result = Inference(*out)
            _check_room(result.activity, activity_shape, "activity")
            _check_room(result.embedding, embedding_shape, "embedding")
        work = partial(self._call, owned, rows, batch, samples, result)
        with self._calls.call() as waits:
            make(work, conditions, long=waits or rows.size > _LONG_SAMPLES)
        return result

    def _call(
        self,
        owned: Owned,
        rows: NDArray[np.float32],
        batch: int,
        samples: int,
        result: Inference,
        call: object,
    ) -> None:
        activity, embedding = result
        n = byref(c_size_t())
        status = self._infer(
            owned.pointer,
            address(rows),
            batch,
            samples,
            call,
            address(activity),
            activity.size,
            n,
            address(embedding),
            embedding.size,
            byref(c_size_t()),
            byref(c_size_t()),
        )
        if status:
            check(status)


def _check_room(room: object, shape: tuple[int, ...], what: str) -> None:
    if (
        not isinstance(room, np.ndarray)
        or room.dtype != FLOAT32
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
