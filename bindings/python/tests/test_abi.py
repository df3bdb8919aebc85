"""What ctypes is told about voiceflow.h is what voiceflow.h says."""

from __future__ import annotations

import ctypes
import re
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT
from libvoiceflow import ProcessOptions, _abi, _enums, _errors
from libvoiceflow._log import _LEVELS

HEADER = (ROOT / "include/voiceflow.h").read_text()
# Without comments, and with one space for any white space.
CODE = " ".join(re.sub(r"/\*.*?\*/", " ", HEADER, flags=re.S).split())
SCALARS = {
    "size_t": ctypes.c_size_t,
    "uint64_t": ctypes.c_uint64,
    "uint32_t": ctypes.c_uint32,
    "int32_t": ctypes.c_int32,
    "vf_status": ctypes.c_int32,
    "double": ctypes.c_double,
    "float": ctypes.c_float,
}


def functions() -> dict[str, tuple[str, list[str]]]:
    """Each function's result and parameters, as texts of C."""
    found = re.findall(r"((?:const )?\w+ \*?)(vf_\w+)\(([^()]*)\);", CODE)
    return {
        name: (result.strip(), [] if parameters == "void" else parameters.split(", "))
        for result, name, parameters in found
    }


def python_type(parameter: str) -> list[object]:
    """The types of ctypes that stand for a parameter of C."""
    kind = re.sub(r"\b(const|struct) ", "", parameter).rsplit(" ", 1)
    pointer = "*" in parameter
    base = kind[0].replace("*", "").strip()
    if parameter.startswith("vf_progress_fn"):
        return [_abi.PROGRESS]
    if parameter.startswith("vf_log_fn"):
        return [_abi.LOG]
    if not pointer:
        return [SCALARS[base]]
    if "**" in parameter:
        return [ctypes.POINTER(ctypes.c_void_p)]
    if base == "char":
        return [ctypes.c_char_p] if parameter.startswith("const") else [ctypes.c_void_p]
    if base == "vf_model_info":
        return [ctypes.POINTER(_abi.ModelInfoStruct)]
    if base == "vf_call":
        return [ctypes.POINTER(_abi.CallStruct)]
    if base == "vf_source":
        return [ctypes.POINTER(_abi.SourceStruct)]
    # A number that the function stores, or an array.
    return [ctypes.c_void_p, *([ctypes.POINTER(SCALARS[base])] if base in SCALARS else [])]


def test_every_function_is_declared() -> None:
    assert functions().keys() == _abi.ARGUMENTS.keys()
    assert len(functions()) > 70


@pytest.mark.parametrize("name", _abi.ARGUMENTS)
def test_a_function_takes_what_the_header_says(name: str) -> None:
    result, parameters = functions()[name]
    declared = _abi.ARGUMENTS[name]
    assert len(declared) == len(parameters)
    for parameter, kind in zip(parameters, declared, strict=True):
        assert kind in python_type(parameter), parameter
    if result == "void":
        assert name.endswith("_destroy")
    else:
        expected = ctypes.c_char_p if result == "const char *" else SCALARS[result]
        assert _abi.RESULTS.get(name, ctypes.c_int32) is expected


def test_callbacks_are_the_headers() -> None:
    assert "typedef void (*vf_progress_fn)(void *user_data, int32_t stage, float fraction);" in CODE
    log = (
        "typedef void (*vf_log_fn)(void *user_data, int32_t level, const char *target, const char *message);"
    )
    assert log in CODE
    assert "typedef int64_t (*vf_read_fn)(void *user_data, uint8_t *out, size_t cap);" in CODE
    assert "typedef int32_t (*vf_seek_fn)(void *user_data, uint64_t position);" in CODE


def test_structs_lie_in_memory_as_in_c(tmp_path: Path) -> None:
    structs: dict[str, type[ctypes.Structure]] = {
        "vf_model_info": _abi.ModelInfoStruct,
        "vf_model_version": _abi.ModelVersionStruct,
        "vf_call": _abi.CallStruct,
        "vf_source": _abi.SourceStruct,
    }
    members = [(struct, name) for struct, kind in structs.items() for name, *_ in kind._fields_]
    assert _abi.SEGMENT_DTYPE.names is not None
    fields = [*members, *(("vf_segment", name) for name in _abi.SEGMENT_DTYPE.names)]
    lines = [f'printf("%zu %zu\\n", offsetof({s}, {f}), sizeof((({s} *)0)->{f}));' for s, f in fields]
    sizes = 'printf("%zu %zu\\n", sizeof(vf_model_info), sizeof(vf_call));\n'
    sizes += 'printf("%zu %zu\\n", sizeof(vf_segment), sizeof(void *));'
    source = tmp_path / "layout.c"
    source.write_text(
        "#include <stdio.h>\n#include <voiceflow.h>\nint main(void) {\n" + "\n".join([*lines, sizes]) + "}\n"
    )
    program = tmp_path / "layout"
    subprocess.run(["gcc", "-I", ROOT / "include", source, "-o", program], check=True)
    said = subprocess.run([program], check=True, capture_output=True, text=True).stdout.split("\n")
    members_of = [getattr(structs[struct], name) for struct, name in members]
    expected = [(member.offset, member.size) for member in members_of]
    for name in _abi.SEGMENT_DTYPE.names:
        kind, offset = _abi.SEGMENT_DTYPE.fields[name][:2]  # type: ignore[index]
        expected.append((offset, kind.itemsize))
    expected.append((ctypes.sizeof(_abi.ModelInfoStruct), ctypes.sizeof(_abi.CallStruct)))
    expected.append((_abi.SEGMENT_DTYPE.itemsize, ctypes.sizeof(ctypes.c_void_p)))
    assert [tuple(map(int, line.split())) for line in said if line] == expected
    assert (_abi.SEGMENT_DTYPE.itemsize, ctypes.sizeof(_abi.CallStruct)) == (32, 88)


def members(enum: str) -> dict[str, int]:
    """The members of an enum of the header."""
    body = re.search(rf"typedef enum {enum} {{(.*?)}}", CODE)
    assert body is not None
    return {name: int(number) for name, number in re.findall(r"(VF_\w+) = (-?\d+)", body[1])}


@pytest.mark.parametrize(
    ("enum", "prefix", "kind"),
    [
        ("vf_provider", "VF_PROVIDER_", _enums.Provider),
        ("vf_provider_policy", "VF_PROVIDER_", _enums.ProviderPolicy),
        ("vf_embedding_family", "VF_EMBEDDING_FAMILY_", _enums.EmbeddingFamily),
        ("vf_frontend", "VF_FRONTEND_", _enums.Frontend),
        ("vf_clustering", "VF_CLUSTERING_", _enums.Clustering),
        ("vf_stage", "VF_STAGE_", _enums.Stage),
    ],
)
def test_choices_are_the_headers(enum: str, prefix: str, kind: type[_enums.Choice]) -> None:
    texts = {_enums.spelling(member): int(member) for member in kind}
    names = {name.removeprefix(prefix).lower().replace("_", "-"): n for name, n in members(enum).items()}
    assert texts == names


def test_warning_codes_are_the_headers() -> None:
    codes = {f"VF_WARNING_{code.name}": int(code) for code in _enums.WarningCode}
    assert codes == members("vf_warning_code")


def test_flags_are_the_headers() -> None:
    flags = {name: number for name, number in vars(_abi).items() if name.startswith("CALL_")}
    assert {f"VF_{name}": number for name, number in flags.items()} == members("vf_call_flag")


def test_every_field_of_a_call_is_a_keyword() -> None:
    fields = {name for name, *_ in _abi.CallStruct._fields_} - {"size", "user_data", "flags"}
    switches = {"exclusive", "separate_channels", "all_tracks"}
    assert ProcessOptions.__optional_keys__ == fields | switches


def test_numbers_of_a_newer_library() -> None:
    """What it answers is taken, and what callers ask for is not."""
    for kind in (_enums.Provider, _enums.Stage):
        newer = kind(77)
        assert newer == 77 and newer.name == f"{kind.__name__.upper()}_77" and newer not in list(kind)
        with pytest.raises(_errors.InvalidArgumentError):
            _enums.choice(kind, newer, "kind")
        with pytest.raises(ValueError):
            kind("cpu")


def test_every_status_has_a_class_and_every_level_a_level() -> None:
    statuses = set(members("vf_status_code").values()) - {0}
    assert _errors._BY_STATUS.keys() == statuses
    assert set(members("vf_log_level").values()) == _LEVELS.keys()


def test_constants_are_the_headers() -> None:
    constants = dict(re.findall(r"#define (VF_\w+) ([\d.]+)", HEADER))
    assert int(constants["VF_ABI_VERSION"]) == _abi.ABI_VERSION
    assert int(constants["VF_SEGMENT_OVERLAP"]) == _abi.SEGMENT_OVERLAP
    assert int(constants["VF_SEGMENT_FINAL"]) == _abi.SEGMENT_FINAL
    assert int(constants["VF_MODEL_VERSION_CURRENT"]) == _abi.MODEL_VERSION_CURRENT
