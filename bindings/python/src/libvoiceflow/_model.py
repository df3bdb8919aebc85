"""What a session and a diarizer have in common: a loaded model."""

from __future__ import annotations

from collections.abc import Mapping
from ctypes import byref, c_size_t, sizeof
from dataclasses import dataclass

from . import _abi, _options
from ._call import LongCall
from ._conditions import Conditions
from ._enums import Provider
from ._handle import Handle, Owned, read_text
from ._library import check, library


@dataclass(frozen=True)
class ModelInfo:
    """A model and where it runs."""

    name: str
    version: str
    """Such as "0.1.0"; empty for two public models."""
    sha256: str
    """Of the model file, 64 hexadecimal digits."""
    voice_space: str
    """Models that name the same have voices that can be compared, and galleries that are
    exchangeable; empty where the model names none."""
    window_samples: int
    """Samples in one window."""
    hop_samples: int
    """Samples from the start of one window to the next, by default."""
    frame_step_samples: int
    """Samples from one frame of the activity to the next."""
    frame_offset_samples: int
    """Samples from the start of a window to the middle of its first frame."""
    sample_rate: int
    """Of the input, in hertz."""
    max_speakers: int
    """Local speakers in one window."""
    embedding_dim: int
    """Numbers in one embedding."""
    provider: Provider
    """What runs it, never `Provider.AUTO`."""


@dataclass(frozen=True)
class ModelVersion:
    """A version of the model of a `Diarizer` or `Session` that is current or still in use."""

    number: int
    """1 for the one that was created, one more for each reload."""
    name: str
    version: str
    sha256: str
    current: bool
    """Whether new calls and streams use it."""
    calls: int
    """Calls under way on it, those of streams aside."""
    streams: int
    """Streams that work with it."""


class Model(Handle):
    """A handle with a model, of the C type vf_ and `_kind`."""

    _kind: str
    _option_names: frozenset[str]

    def _open(self, given: Mapping[str, object], conditions: Conditions) -> None:
        """Loads the model."""
        options = _options.build_for_model(self._option_names, given)
        create, destroy = f"vf_{self._kind}_create", f"vf_{self._kind}_destroy"
        self._owned = LongCall(lambda call: Owned(create, destroy, options.pointer, call), conditions).run()
        _options.runtime_decided()

    def _exchange(self, given: Mapping[str, object], conditions: Conditions) -> None:
        """Puts what is given in the place of the current version."""
        options = _options.build_for_model(self._option_names, given)
        owned, reload = self._borrow(), getattr(library(), f"vf_{self._kind}_reload")
        LongCall(lambda call: check(reload(owned.pointer, options.pointer, call)), conditions).run()

    def versions(self) -> list[ModelVersion]:
        """The versions of the model that are in use: the current one first, then older ones that
        calls or streams still hold."""
        owned, ask = self._borrow(), getattr(library(), f"vf_{self._kind}_versions")
        n, status = c_size_t(1), _abi.BUFFER_TOO_SMALL
        while status == _abi.BUFFER_TOO_SMALL:
            found = (_abi.ModelVersionStruct * n.value)()
            status = ask(owned.pointer, found, len(found), byref(n))
        check(status)
        return [
            ModelVersion(
                number=one.number,
                name=one.name.decode(),
                version=one.version.decode(),
                sha256=one.sha256.decode(),
                current=bool(one.flags & _abi.MODEL_VERSION_CURRENT),
                calls=one.calls,
                streams=one.streams,
            )
            for one in found[: n.value]
        ]

    def __repr__(self) -> str:
        name = type(self).__name__
        if self.closed:
            return f"<{name}: closed>"
        info = self.info
        model = f"{info.name} {info.version}".rstrip()
        return f"<{name}: {model} on {info.provider.name.lower()}>"

    @property
    def info(self) -> ModelInfo:
        """The model and where it runs."""
        owned, vf = self._borrow(), library()
        sizes = _abi.ModelInfoStruct(size=sizeof(_abi.ModelInfoStruct))
        check(getattr(vf, f"vf_{self._kind}_describe")(owned.pointer, byref(sizes)))
        name, version, sha256, voice_space = (
            read_text(getattr(vf, f"vf_{self._kind}_{what}"), owned.pointer)
            for what in ("model_name", "model_version", "model_sha256", "voice_space")
        )
        return ModelInfo(
            name=name,
            version=version,
            sha256=sha256,
            voice_space=voice_space,
            window_samples=sizes.window_samples,
            hop_samples=sizes.hop_samples,
            frame_step_samples=sizes.frame_step_samples,
            frame_offset_samples=sizes.frame_offset_samples,
            sample_rate=sizes.sample_rate,
            max_speakers=sizes.max_speakers,
            embedding_dim=sizes.embedding_dim,
            provider=Provider(sizes.provider),
        )
