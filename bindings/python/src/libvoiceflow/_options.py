"""Options of sessions, diarizers and streams: the setters of the C interface as keyword
arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, ForwardRef, TypedDict, TypeVar

from ._arguments import PathLike, data, path, real, switch, whole
from ._enums import Clustering, EmbeddingFamily, Frontend, Provider, ProviderPolicy, choice
from ._errors import InvalidArgumentError
from ._handle import Owned
from ._library import check, library, runtime_library

Bytes = bytes | bytearray | memoryview


class ModelOptions(TypedDict, total=False):
    """Options of whatever loads a model. What is not given, or None, has its default.

    model_path: ONNX file of the model. Default: the model in the library.
    model_memory: The model as the bytes of an ONNX file.
    runtime_library: libonnxruntime.so. Default: VOICEFLOW_ORT_LIBRARY, ORT_DYLIB_PATH, beside
        libvoiceflow, the installed `onnxruntime` package, the system's loader. The first session of
        the process decides.
    telemetry: Whether ONNX Runtime may use its telemetry, which writes below the home folder and
        sends data to Microsoft. The first session of the process decides. Default: False, it is
        switched off.
    provider: "auto" (the default), "cpu", "cuda" or "tensorrt".
    provider_policy: "preferred" (the default): the CPU where the provider is not available; or
        "required".
    device_id: Number of the GPU, 0 to 63. Default 0.
    device_memory_limit: Most bytes on a GPU for one run slot, 1 MiB to 1 TiB; nothing on the CPU.
        Default 0: no limit.
    cache_folder: Folder that keeps models as optimised for this processor, so that they load faster
        the next time; made where it does not exist. Whoever can write to it decides what runs.
        Default: none, nothing is written.
    threads: Threads that work for one call, 0 to 256. Default 0: one for each physical core.
    """

    model_path: PathLike | None
    model_memory: Bytes | None
    runtime_library: PathLike | None
    telemetry: bool | None
    provider: Provider | str | None
    provider_policy: ProviderPolicy | str | None
    device_id: int | None
    device_memory_limit: int | None
    cache_folder: PathLike | None
    threads: int | None


class SessionOptions(ModelOptions, total=False):
    """Options of a `Session`.

    slots: Run slots, of which each runs the network for one call at a time: 1 to 64. Default 1.
    """

    slots: int | None


class DiarizerOptions(ModelOptions, total=False):
    """Options of a `Diarizer`.

    batch: Windows that the network is given at once, at most: 1 to 1,024. Default 8.
    num_speakers: Exactly so many speakers, 1 to 100. Default: the clustering decides.
    speaker_range: Fewest and most speakers, 0 to 100 and 1 to 100. Default (0, 100).
    hop_s: Seconds from the start of one window to the next, 0.1 to 60. Default: the model's.
    clustering_threshold: Distance under which two clusters are one speaker, 0 to 2. Default: the
        model's.
    min_speech_s: Segments shorter than these seconds are dropped, 0 to 60. Default: stored in the
        model, 0.2 in fast-cnn and accurate; 0 for two public models.
    min_silence_s: Pauses of one speaker shorter than these seconds are filled, 0 to 60. Default 0.
    bundle: Models that were tuned together: fast-cnn or accurate, which are compiled in, or a
        folder, or its name in $VOICEFLOW_MODELS, in .models or beside the library; options that are
        not given are what it was tuned to. Default: accurate for recordings where it is compiled in
        or installed, and fast-cnn for the rest.
    segmentation_model: ONNX file of a public segmentation model, beside an embedding model.
    segmentation_model_memory: The segmentation model as the bytes of an ONNX file.
    segmentation_receptive_field: What one frame of it sees and the step between frames, in samples.
    embedding_model: ONNX file of a public speaker embedding model.
    embedding_model_memory: The embedding model as the bytes of an ONNX file.
    embedding_family: "auto" (the default), "wespeaker", "3d-speaker" or "nemo".
    frontend: "trained" (the default) or "sherpa".
    clustering_method: "auto" (the default), "average", "centroid" or "vbx".
    min_cluster_size: Fewest windows in which a speaker of centroid clustering talks, 1 to 1,000.
    plda: Folder with the PLDA for "vbx" of public models.
    """

    batch: int | None
    num_speakers: int | None
    speaker_range: tuple[int, int] | None
    hop_s: float | None
    clustering_threshold: float | None
    min_speech_s: float | None
    min_silence_s: float | None
    bundle: PathLike | None
    segmentation_model: PathLike | None
    segmentation_model_memory: Bytes | None
    segmentation_receptive_field: tuple[int, int] | None
    embedding_model: PathLike | None
    embedding_model_memory: Bytes | None
    embedding_family: EmbeddingFamily | str | None
    frontend: Frontend | str | None
    clustering_method: Clustering | str | None
    min_cluster_size: int | None
    plda: PathLike | None


class StreamOptions(TypedDict, total=False):
    """Options of a `Stream`; models and providers are its diarizer's.

    latency_s: Seconds of audio after which the segments of a moment are final, 0.5 to 5. Default 1.
    history_s: Seconds of the stream that the result of `finish` covers, 0 to 86,400. Default 7,200.
    speaker_range: (0, most speakers), 1 to 100. Default (0, 100).
    clustering_threshold: Distance under which two clusters are one speaker, 0 to 2. Default: the
        model's.
    min_speech_s: Segments shorter than these seconds are dropped, 0 to 60. Default: stored in the
        model, 0.2 in fast-cnn and accurate; 0 for two public models.
    min_silence_s: Pauses of one speaker shorter than these seconds are filled, 0 to 60. Default 0.
    follow_reloads: Whether it goes over to the versions that `Diarizer.reload` puts in the place of
        its own; its speakers keep their numbers. To a version of another voice space they are known
        by their newest speech, of which it keeps 8 s each in memory. Default: False, it stays with
        the one that it began with.
    """

    latency_s: float | None
    history_s: float | None
    speaker_range: tuple[int, int] | None
    clustering_threshold: float | None
    min_speech_s: float | None
    min_silence_s: float | None
    follow_reloads: bool | None


Function = TypeVar("Function", bound=Callable[..., Any])


def takes(*kinds: Any) -> Callable[[Function], Function]:
    """Decorates a function with `**options` of the last of these kinds, each derived from the one
    before.

    `help` and `inspect.signature` show each option as the keyword that it is, and `help` says what
    it does.
    """

    def decorate(function: Function) -> Function:
        own = inspect.signature(function)
        fixed = [known for known in own.parameters.values() if known.kind is not known.VAR_KEYWORD]
        options = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=written(kind))
            for name, kind in kinds[-1].__annotations__.items()
        ]
        function.__signature__ = own.replace(parameters=[*fixed, *options])  # type: ignore[attr-defined]
        if function.__doc__ is not None:
            # What stands in each description behind its first paragraph.
            texts = [inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[2] for kind in kinds]
            function.__doc__ = "\n".join([inspect.cleandoc(function.__doc__), *texts])
        return function

    return decorate


def written(annotation: object) -> object:
    """An annotation as it is written in the source, such as "PathLike | None"."""
    return annotation.__forward_arg__ if isinstance(annotation, ForwardRef) else annotation


Convert = Callable[[object, str], tuple[Any, ...]]


def _count(value: object, what: str) -> tuple[int]:
    return (whole(value, what),)


def _index(value: object, what: str) -> tuple[int]:
    return (whole(value, what, 2**31 - 1),)


def _number(value: object, what: str) -> tuple[float]:
    return (real(value, what),)


def _switch(value: object, what: str) -> tuple[int]:
    return (int(switch(value, what)),)


def _path(value: object, what: str) -> tuple[bytes]:
    return (path(value, what),)


def _bytes(value: object, what: str) -> tuple[bytes, int]:
    held = data(value, what)
    return held, len(held)


def _pair(value: object, what: str) -> tuple[int, int]:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise InvalidArgumentError(f"{what}: expected a pair of whole numbers, got {value!r}")
    return whole(value[0], what), whole(value[1], what)


def _choice(kind: type[IntEnum]) -> Convert:
    return lambda value, what: (int(choice(kind, value, what)),)


# Each option is set by vf_options_set_ and its name. The two of the provider share a setter.
_CONVERT: dict[str, Convert] = {
    "model_path": _path,
    "model_memory": _bytes,
    "runtime_library": _path,
    "telemetry": _switch,
    "device_id": _index,
    "device_memory_limit": _count,
    "cache_folder": _path,
    "threads": _count,
    "slots": _count,
    "batch": _count,
    "num_speakers": _count,
    "speaker_range": _pair,
    "hop_s": _number,
    "clustering_threshold": _number,
    "min_speech_s": _number,
    "min_silence_s": _number,
    "bundle": _path,
    "segmentation_model": _path,
    "segmentation_model_memory": _bytes,
    "segmentation_receptive_field": _pair,
    "embedding_model": _path,
    "embedding_model_memory": _bytes,
    "embedding_family": _choice(EmbeddingFamily),
    "frontend": _choice(Frontend),
    "clustering_method": _choice(Clustering),
    "min_cluster_size": _count,
    "plda": _path,
    "latency_s": _number,
    "history_s": _number,
    "follow_reloads": _switch,
}
_PROVIDER = ("provider", "provider_policy")

# Whether a model was opened in this process, which decides about ONNX Runtime.
_runtime_decided = False


def build(known: frozenset[str], given: Mapping[str, object]) -> Owned:
    """Options of the library with all that is given, by the names that are `known`."""
    for name in given:
        if name not in known:
            raise TypeError(f"{name}: expected an option among {', '.join(sorted(known))}")
    options = Owned("vf_options_create", "vf_options_destroy")
    values = {name: value for name, value in given.items() if value is not None}
    if any(name in values for name in _PROVIDER):
        provider = choice(Provider, values.pop("provider", Provider.AUTO), "provider")
        policy = choice(
            ProviderPolicy, values.pop("provider_policy", ProviderPolicy.PREFERRED), "provider_policy"
        )
        check(library().vf_options_set_provider(options.pointer, provider, policy))
    for name, value in values.items():
        setter = getattr(library(), f"vf_options_set_{name}")
        check(setter(options.pointer, *_CONVERT[name](value, name)))
    return options


def build_for_model(known: frozenset[str], given: Mapping[str, object]) -> Owned:
    """As `build`, with the ONNX Runtime of an installed package where nothing else is said or
    found."""
    options = build(known, given)
    runtime = None if _runtime_decided or given.get("runtime_library") is not None else runtime_library()
    if runtime is not None:
        check(library().vf_options_set_runtime_library(options.pointer, path(runtime, "onnxruntime")))
    return options


def runtime_decided() -> None:
    """Notes that a model was opened."""
    global _runtime_decided
    _runtime_decided = True
