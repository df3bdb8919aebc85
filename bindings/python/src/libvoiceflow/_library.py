"""Finds and loads libvoiceflow, and finds an ONNX Runtime for it."""

from __future__ import annotations

import os
import threading
from ctypes import CDLL, Structure, byref, c_char_p, c_uint32, c_void_p, cast, create_string_buffer
from pathlib import Path

from . import _abi, _runtime
from ._errors import LibraryNotFoundError, error_for

_SONAME = f"libvoiceflow.so.{_abi.ABI_VERSION}"
_loading = threading.Lock()
_loaded: CDLL | None = None


def library() -> CDLL:
    """libvoiceflow: VOICEFLOW_LIBRARY, the one in this package, or the system's. Loaded by the
    first call."""
    global _loaded
    if _loaded is None:
        with _loading:
            if _loaded is None:
                _loaded = _load()
    return _loaded


def check(status: int) -> None:
    """Raises the error of the call that has just returned `status` on this thread, if it failed."""
    if status != 0:
        vf = library()
        text = create_string_buffer(vf.vf_last_error(None, 0) + 1)
        vf.vf_last_error(text, len(text))
        raise error_for(status, text.value.decode() or vf.vf_status_str(status).decode())


def _load() -> CDLL:
    asked = os.environ.get("VOICEFLOW_LIBRARY")
    inside = Path(__file__).with_name(_SONAME)
    place = asked or (str(inside) if inside.exists() else _SONAME)
    try:
        vf = CDLL(place)
    except OSError as error:
        raise LibraryNotFoundError(
            f"libvoiceflow cannot be loaded: {error}; looked at VOICEFLOW_LIBRARY ({asked or 'not set'}), "
            f"{inside} ({'there' if inside.exists() else 'not there'}), and {_SONAME} where the system looks"
        ) from None
    try:
        version = vf.vf_abi_version
    except AttributeError:
        raise LibraryNotFoundError(f"{place}: expected libvoiceflow, got a library without it") from None
    version.argtypes, version.restype = [], c_uint32
    if version() != _abi.ABI_VERSION:
        raise LibraryNotFoundError(
            f"{place}: expected binary interface {_abi.ABI_VERSION}, got {version()}; install the "
            "libvoiceflow package that belongs to this library"
        )
    try:
        _abi.declare(vf)
    except AttributeError as error:
        raise LibraryNotFoundError(f"{place}: older than this package: {error}") from None
    return vf


def runtime_library() -> str | None:
    """The ONNX Runtime of an installed package, or None where libvoiceflow finds one before."""
    if _runtime.named() or _runtime.runtimes(_folder(library())):
        return None
    return _runtime.installed()


class _DlInfo(Structure):
    _fields_ = [
        ("file_name", c_char_p),
        ("file_base", c_void_p),
        ("symbol_name", c_char_p),
        ("symbol_address", c_void_p),
    ]


def _folder(vf: CDLL) -> Path:
    """The folder that the library was loaded from."""
    dladdr = CDLL(None).dladdr
    dladdr.argtypes = [c_void_p, c_void_p]
    info = _DlInfo()
    if dladdr(cast(vf.vf_abi_version, c_void_p), byref(info)) == 0 or info.file_name is None:
        return Path(__file__).parent
    return Path(os.fsdecode(info.file_name)).resolve().parent
