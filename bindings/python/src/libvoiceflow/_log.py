"""The library's log records for Python's logging."""

from __future__ import annotations

import atexit
import logging
import threading
from ctypes import c_void_p

from . import _abi
from ._arguments import whole
from ._handle import inside
from ._library import check, library

TRACE = 5
"""The level of the library's finest records, below `logging.DEBUG`."""

_LEVELS = {1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO, 4: logging.DEBUG, 5: TRACE}
# Again by the same thread, where a signal's handler sets another logger.
_setting = threading.RLock()
_logger: logging.Logger | None = None


def log_to(logger: logging.Logger | None, level: int | None = None) -> None:
    """Sends the library's records to children of `logger`, such as "model" and "onnxruntime"; None
    stops it.

    level: least level of Python's logging that is sent; by default that at which the logger is now.

    There is one place for them in a process. Handlers are called on whatever thread has something
    to say, and must not use the library: its calls are refused there.
    """
    sent: list[int] = []
    if logger is not None:
        least = logger.getEffectiveLevel() if level is None else whole(level, "level")
        sent = [number for number, known in _LEVELS.items() if known >= least]
    global _logger
    with _setting:
        if sent:
            check(library().vf_set_log_callback(_CALLBACK, None, max(sent)))
        else:
            check(library().vf_set_log_callback(_NONE, None, 0))
        _logger = logger


def _record(_user_data: c_void_p | None, level: int, target: bytes, message: bytes) -> None:
    logger = _logger
    if logger is None:
        return
    name = target.decode().removeprefix("voiceflow::").replace("::", ".")
    nested = getattr(inside, "callback", False)
    inside.callback = True
    try:
        logger.getChild(name).log(_LEVELS.get(level, TRACE), "%s", message.decode())
    finally:
        inside.callback = nested


# Kept: the library calls it for as long as it is set.
_CALLBACK = _abi.LOG(_record)
_NONE = _abi.LOG()


@atexit.register
def _stop() -> None:
    """No record comes while the interpreter ends."""
    if _logger is not None:
        log_to(None)
