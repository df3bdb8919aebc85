"""Options by keyword."""

from __future__ import annotations

import inspect
import pydoc
import re
from pathlib import Path
from typing import Any

import libvoiceflow
import numpy as np
import pytest
from conftest import MODEL, ROOT
from libvoiceflow import (
    CallOptions,
    Diarizer,
    Gallery,
    InvalidArgumentError,
    ResultOptions,
    Session,
    Stream,
)
from libvoiceflow._abi import ARGUMENTS
from libvoiceflow._options import _CONVERT, DiarizerOptions, SessionOptions, StreamOptions

FAMILIES = ROOT / "tests/data/families"


def test_every_setter_has_a_keyword() -> None:
    setters = {
        name.removeprefix("vf_options_set_") for name in ARGUMENTS if name.startswith("vf_options_set_")
    }
    assert _CONVERT.keys() | {"provider"} == setters
    session, diarizer = SessionOptions.__optional_keys__, DiarizerOptions.__optional_keys__
    assert session | diarizer | StreamOptions.__optional_keys__ == setters | {"provider_policy"}
    assert session - diarizer == {"slots"}


def test_help_names_each_option() -> None:
    for function, options in (
        (Session, SessionOptions),
        (Diarizer, DiarizerOptions),
        (Diarizer.stream, StreamOptions),
    ):
        parameters = inspect.signature(function).parameters
        shown = {name for name, known in parameters.items() if known.kind is known.KEYWORD_ONLY}
        assert shown - CallOptions.__optional_keys__ == options.__optional_keys__
        check_conditions(function, CallOptions)
        text = pydoc.render_doc(function, renderer=pydoc.plaintext)
        for name in options.__optional_keys__:
            assert re.search(rf"^[ |]*{name}: \S", text, re.M), name


def check_conditions(function: object, kind: Any) -> None:
    """The signature has each condition."""
    parameters = inspect.signature(function).parameters  # type: ignore[arg-type]
    for name in kind.__optional_keys__:
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY and parameters[name].default is None
    assert parameters["deadline_ms"].annotation == "int | None"
    assert parameters["cancel"].annotation == "Cancel | None"


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (Session.infer, CallOptions),
        (Diarizer.process, ResultOptions),
        (Diarizer.aprocess, ResultOptions),
        (Gallery.enroll, CallOptions),
        (Stream.push, CallOptions),
        (Stream.apush, CallOptions),
        (Stream.finish, ResultOptions),
        (Stream.afinish, ResultOptions),
        (Stream.reset, CallOptions),
        (Stream.run, ResultOptions),
    ],
)
def test_help_names_each_condition(function: object, kind: Any) -> None:
    check_conditions(function, kind)
    text = pydoc.render_doc(function, renderer=pydoc.plaintext)
    for name in kind.__optional_keys__:
        assert re.search(rf"^[ |]*{name}: \S", text, re.M), name


def test_option_types_are_exported() -> None:
    options: libvoiceflow.DiarizerOptions = {"threads": 1, "bundle": "fast-cnn"}
    with Diarizer(**options) as diarizer:
        assert diarizer.info.name == "fast-cnn"
    assert {
        "CallOptions",
        "DiarizerOptions",
        "ResultOptions",
        "SessionOptions",
        "StreamOptions",
    } < set(libvoiceflow.__all__)
    assert all(hasattr(libvoiceflow, name) for name in libvoiceflow.__all__)


GOOD: list[dict[str, Any]] = [
    {"provider": "cpu", "provider_policy": "required"},
    {"provider": "CPU"},
    {"provider": libvoiceflow.Provider.CPU, "provider_policy": libvoiceflow.ProviderPolicy.REQUIRED},
    {"device_memory_limit": 1 << 30, "cache_folder": None, "telemetry": False},
    {"provider_policy": "preferred", "device_id": 0, "threads": 1},
    {"model_path": MODEL},
    {"model_path": str(MODEL), "model_memory": None},
    {"model_memory": MODEL.read_bytes()},
    {"model_memory": memoryview(MODEL.read_bytes())},
    {"bundle": ROOT / "models/fast-cnn/1.0.1"},
    {"batch": 2, "num_speakers": 3, "hop_s": 1, "clustering_threshold": 0.5},
    {"speaker_range": (0, 4), "min_speech_s": 0.1, "min_silence_s": 0.2, "clustering_method": "average"},
    {
        "segmentation_model": FAMILIES / "segmentation.onnx",
        "embedding_model": FAMILIES / "campplus.onnx",
        "embedding_family": "3d-speaker",
        "frontend": "sherpa",
        "clustering_method": "centroid",
        "min_cluster_size": 3,
        "segmentation_receptive_field": (991, 270),
    },
    {
        "segmentation_model_memory": (FAMILIES / "segmentation.onnx").read_bytes(),
        "embedding_model_memory": bytearray((FAMILIES / "campplus.onnx").read_bytes()),
        "embedding_family": "3D_Speaker",
    },
]


@pytest.mark.parametrize("options", GOOD, ids=lambda options: next(iter(options)))
def test_good_options(options: dict[str, Any], recording: Path) -> None:
    names_models = any("model" in name or name == "bundle" for name in options)
    models = {} if names_models else {"bundle": "fast-cnn"}
    with Diarizer(**models, **options) as diarizer:
        assert diarizer.process(recording).duration > 50


BAD: list[tuple[dict[str, Any], str]] = [
    ({"threads": -1}, "threads: expected 0 to .* got -1"),
    ({"threads": 257}, "threads"),
    ({"threads": 1.5}, "threads: expected a whole number, got 1.5"),
    ({"threads": 2**70}, "threads: expected 0 to"),
    ({"threads": "2"}, "threads: expected a whole number, got '2'"),
    ({"device_id": 2**31}, "device_id: expected 0 to 2147483647"),
    ({"device_memory_limit": 1}, "device_memory_limit: expected 0 or 1048576 to .* got 1"),
    ({"device_memory_limit": 2**64}, "device_memory_limit: expected 0 to"),
    ({"telemetry": 1}, "telemetry: expected True or False, got 1"),
    (
        {"bundle": "nowhere"},
        "bundle nowhere: expected a folder with model.onnx, or with segmentation.onnx and",
    ),
    ({"cache_folder": 7}, "cache_folder: expected a path, got int"),
    ({"deadline_ms": -5}, "deadline_ms: expected 0 to"),
    ({"hop_s": float("nan")}, "hop"),
    ({"hop_s": "1"}, "hop_s: expected a number, got '1'"),
    ({"hop_s": [1]}, "hop_s: expected a number"),
    ({"clustering_threshold": 3}, "threshold"),
    ({"speaker_range": 3}, "speaker_range: expected a pair"),
    ({"speaker_range": (3, 2)}, "speaker"),
    ({"speaker_range": (0, -2)}, "speaker_range: expected 0 to"),
    ({"num_speakers": 0}, "speakers"),
    ({"provider": "gpu"}, 'provider: expected one of "auto", "cpu", "cuda", "tensorrt", got \'gpu\''),
    ({"provider": 9}, "provider: expected one of"),
    ({"provider": 1.0}, "provider: expected one of"),
    ({"provider": libvoiceflow.ProviderPolicy.REQUIRED}, "provider: expected one of"),
    ({"provider": True}, "provider: expected one of"),
    ({"embedding_family": "kaldi"}, '"3d-speaker"'),
    ({"model_path": 7}, "model_path: expected a path, got int"),
    ({"model_path": b"model.onnx"}, "model_path: expected a str, got bytes"),
    ({"model_path": "a\0b"}, "model_path: expected a text without zero bytes"),
    ({"model_path": "\ud800"}, "model_path: expected a path of this system"),
    ({"model_memory": "text"}, "model_memory: expected bytes, got str"),
    ({"model_memory": b""}, "expected the bytes of an ONNX file, got 0 bytes"),
]


@pytest.mark.parametrize(("options", "said"), BAD)
def test_bad_values(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidArgumentError, match=said):
        Diarizer(**options)


def test_the_first_session_decides_about_telemetry() -> None:
    Session(model_path=MODEL, telemetry=False).close()
    with pytest.raises(InvalidArgumentError, match="telemetry: expected off, as this process has loaded"):
        Session(model_path=MODEL, telemetry=True)


def test_models_are_kept_in_the_cache_folder(tmp_path: Path) -> None:
    folder, windows = tmp_path / "made", np.sin(np.arange(32_000, dtype=np.float32)).reshape(2, 16_000)
    with Session(model_path=MODEL, provider="cpu") as plain:
        expected = plain.infer(windows)
        for _ in range(2):
            with Session(model_path=MODEL, provider="cpu", cache_folder=folder) as session:
                assert session.info == plain.info
                for found, known in zip(session.infer(windows), expected, strict=True):
                    np.testing.assert_array_equal(found, known)
            (file,) = folder.iterdir()
            assert file.name.endswith(".onnx.cache")
    # What is there is used and not written again; damage is mended.
    before = file.stat()
    Session(model_path=MODEL, provider="cpu", cache_folder=str(folder)).close()
    assert file.stat() == before
    contents = file.read_bytes()
    file.write_bytes(b"garbage")
    Session(model_path=MODEL, provider="cpu", cache_folder=folder).close()
    assert file.read_bytes() == contents
    with pytest.raises(InvalidArgumentError, match="cache_folder: expected a folder, .* it is not a folder"):
        Diarizer(model_path=MODEL, cache_folder=file)


def test_an_unknown_name() -> None:
    with pytest.raises(TypeError, match="speakers: expected an option among batch, "):
        Diarizer(speakers=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="slots: expected an option among batch, "):
        Diarizer(slots=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="hop_s: expected an option among cache_folder, "):
        Session(hop_s=1.0)  # type: ignore[call-arg]


def test_bad_models() -> None:
    with pytest.raises(libvoiceflow.NotFoundError) as caught:
        Diarizer(model_path="/nowhere/model.onnx")
    assert isinstance(caught.value, FileNotFoundError) and "/nowhere/model.onnx" in str(caught.value)
    with pytest.raises(libvoiceflow.ModelError):
        Diarizer(model_memory=b"no model")
    with pytest.raises(libvoiceflow.ModelError, match="wrong_contract"):
        Session(model_path=ROOT / "tests/data/models/wrong_contract.onnx")
    with pytest.raises(libvoiceflow.ProviderError):
        Session(provider="tensorrt", provider_policy="required")
