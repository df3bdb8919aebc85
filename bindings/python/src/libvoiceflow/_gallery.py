"""Enrolled speakers with their names."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from ctypes import byref, c_float, c_size_t
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike

from ._arguments import PathLike, embedding, floats, frames, hertz, is_path, path, real, text
from ._call import LongCall
from ._conditions import CallOptions, Conditions, RecordingOptions
from ._diarization import Diarization, Speaker
from ._diarizer import Diarizer, Source
from ._errors import InvalidArgumentError, about
from ._handle import Handle, Owned, address, read_number, read_text
from ._library import check, library
from ._options import takes
from ._source import FileObject, is_bytes, is_readable, octets

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Identity(NamedTuple):
    """Who a speaker is."""

    name: str | None
    """The enrolled name; None for a stranger."""
    score: float
    """Cosine similarity, -1 to 1, to that enrolled speaker; of a stranger to the most similar
    one."""


class Gallery(Handle):
    """Enrolled speakers with their names, for the model of one diarizer.

        gallery = Gallery(diarizer)
        gallery.enroll("ada", "ada.wav")
        names = gallery.identify(diarizer.process("meeting.wav"))

    Any number of threads may enroll and identify at once. Voices are personal data: so is a saved
    gallery.
    """

    def __init__(self, diarizer: Diarizer) -> None:
        """A gallery without speakers."""
        self._hold(diarizer, Owned("vf_gallery_create", "vf_gallery_destroy", diarizer._borrow().pointer))

    @classmethod
    def load(cls, diarizer: Diarizer, file: PathLike) -> Gallery:
        """Reads a gallery that `save` wrote, of the model of `diarizer`."""
        owned, place = diarizer._borrow(), path(file, "file")
        gallery = cls.__new__(cls)
        with about(file):
            gallery._hold(diarizer, Owned("vf_gallery_load", "vf_gallery_destroy", owned.pointer, place))
        return gallery

    def _hold(self, diarizer: Diarizer, owned: Owned) -> None:
        self._diarizer, self._owned = diarizer, owned
        # Indices of speakers hold while none is removed.
        self._numbers = threading.Lock()

    def __repr__(self) -> str:
        if self.closed:
            return "<Gallery: closed>"
        voices = len(self)
        return f"<Gallery: {voices} {'voice' if voices == 1 else 'voices'}>"

    def save(self, file: PathLike) -> None:
        """Writes the gallery to a file, in place of an older one, whole or not at all."""
        owned = self._borrow()
        with about(file):
            check(library().vf_gallery_save(owned.pointer, path(file, "file")))

    @takes(CallOptions, RecordingOptions)
    def enroll(
        self,
        name: str,
        source: Source | Speaker,
        sample_rate: float | None = None,
        **call: Unpack[RecordingOptions],
    ) -> Diarization | None:
        """Enrolls a speaker. A name may have several recordings: its embedding is their mean.
        Returns what was found in the recording, with its `warnings`; None for a `Speaker`.

        name: 1 to 256 bytes of UTF-8, not one that strangers have ("SPEAKER_00").
        source: a file, bytes, a file object, or samples, as `Diarizer.process` takes them, with at
            least 3 s of speech, better 20 s, of that speaker alone; or a `Speaker` of a
            `Diarization`.
        sample_rate: of samples, in hertz.

        Ctrl-C ends the call. Conditions of it, those of `RecordingOptions`, which a `Speaker` has
        no use for:

        """
        conditions = Conditions(call)
        if isinstance(source, Speaker):
            self.enroll_embedding(name, source.embedding, source.speech_s)
            return None
        encoded = is_path(source) or is_bytes(source) or is_readable(source)
        if encoded and sample_rate is not None:
            raise InvalidArgumentError("sample_rate: expected none with a file, which has its own")
        if not encoded and sample_rate is None:
            raise InvalidArgumentError("sample_rate: expected one with an array, in hertz")
        work = self._enrolling(text(name, "name"), source, sample_rate)
        with about(source) if is_path(source) else nullcontext():  # type: ignore[arg-type]
            return Diarization(LongCall(work, conditions).run())

    def _enrolling(self, who: bytes, source: Source, sample_rate: float | None) -> Callable[[Any], Owned]:
        """What makes the call, and keeps what its pointers lead to."""
        owned, diarizer = self._borrow(), self._diarizer._borrow()

        def made(kind: str, *arguments: object) -> Owned:
            function = f"vf_gallery_enroll_{kind}"
            handles = (owned.pointer, diarizer.pointer)
            return Owned(function, "vf_diarization_destroy", *handles, who, *arguments)

        if is_path(source):
            file = path(source, "source")
            return lambda call: made("file", file, call)
        if is_bytes(source):
            content = octets(source, "source")
            return lambda call: made("encoded", address(content), content.size, call)
        if is_readable(source):
            file_object = FileObject(source)

            def read(call: object) -> Owned:
                with file_object.raising() as given:
                    return made("source", given, call)

            return read
        given, n_frames, channels = frames(source, "source")  # type: ignore[arg-type]
        samples, rate = floats(given, "source"), hertz(sample_rate)
        return lambda call: made("f32", address(samples), n_frames, rate, channels, call)

    def enroll_embedding(self, name: str, values: ArrayLike, speech_s: float) -> None:
        """Enrolls a speaker by an embedding [embedding_dim], made of `speech_s` seconds of
        speech."""
        owned, vector = self._borrow(), embedding(values, "values")
        check(
            library().vf_gallery_enroll_embedding(
                owned.pointer,
                text(name, "name"),
                address(vector),
                vector.size,
                real(speech_s, "speech_s"),
            )
        )

    def remove(self, name: str) -> None:
        """Removes a speaker."""
        owned = self._borrow()
        with self._numbers:
            check(library().vf_gallery_remove(owned.pointer, text(name, "name")))

    @property
    def names(self) -> tuple[str, ...]:
        """The enrolled names, in the order in which they were first enrolled."""
        owned = self._borrow()
        with self._numbers:
            return tuple(_name(owned, index) for index in range(_count(owned)))

    def __len__(self) -> int:
        return _count(self._borrow())

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    @property
    def threshold(self) -> float:
        """The cosine similarity from which a speaker is taken for an enrolled one, as the model was
        tuned."""
        owned, threshold = self._borrow(), c_float()
        check(library().vf_gallery_threshold(owned.pointer, byref(threshold)))
        return threshold.value

    @overload
    def identify(self, who: Diarization, threshold: float | None = None) -> list[Identity]: ...
    @overload
    def identify(self, who: Speaker | ArrayLike, threshold: float | None = None) -> Identity: ...
    def identify(
        self, who: Diarization | Speaker | ArrayLike, threshold: float | None = None
    ) -> Identity | list[Identity]:
        """Assigns speakers to enrolled ones.

        who: a `Diarization`, for a list of its speakers' identities, each another one; or one
            `Speaker` or embedding [embedding_dim].
        threshold: least cosine similarity, -1 to 1; None for the `threshold` of the gallery.
        """
        owned, vf = self._borrow(), library()
        least = self.threshold if threshold is None else real(threshold, "threshold")
        n = c_size_t()
        if isinstance(who, Diarization):
            result = who._borrow()
            count = len(who.speakers)
            voices, scores = np.empty(count, np.int32), np.empty(count, np.float32)
            with self._numbers:
                check(
                    vf.vf_gallery_identify_diarization(
                        owned.pointer,
                        result.pointer,
                        least,
                        address(voices),
                        address(scores),
                        count,
                        byref(n),
                    )
                )
                return [
                    Identity(None if voice < 0 else _name(owned, voice), score)
                    for voice, score in zip(voices.tolist(), scores.tolist(), strict=True)
                ]
        vector, score = embedding(who.embedding if isinstance(who, Speaker) else who, "who"), c_float()

        def ask(*room: object) -> int:
            return int(
                vf.vf_gallery_identify(
                    owned.pointer, address(vector), vector.size, least, *room, byref(score)
                )
            )

        name = read_text(ask)
        return Identity(name or None, score.value)


def _count(owned: Owned) -> int:
    return int(read_number(library().vf_gallery_count, c_size_t(), owned.pointer))


def _name(owned: Owned, index: int) -> str:
    return read_text(library().vf_gallery_name, owned.pointer, index)
