"""Following a channel of a registry of models."""

from __future__ import annotations

import json
import logging
import os
import random
import subprocess
import threading
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ._arguments import PathLike, real
from ._errors import ClosedError, Error, ExitingError, InvalidArgumentError

if TYPE_CHECKING:
    from ._diarizer import Diarizer
    from ._model import ModelInfo

# Most of the time by which a question comes earlier or later, as a share of the interval.
_JITTER = 0.2

_log = logging.getLogger("libvoiceflow")


class RegistryError(Error):
    """The registry did not answer, or what it has could not be fetched or is not to be trusted."""


class Watch:
    """A thread that follows a channel of a registry, see `Diarizer.watch`."""

    def __init__(
        self,
        diarizer: Diarizer,
        registry: PathLike,
        model: str,
        *,
        interval_s: float,
        command: PathLike,
        on_reload: Callable[[ModelInfo], None] | None,
        on_error: Callable[[Exception], None] | None,
        options: Mapping[str, Any],
    ) -> None:
        if real(interval_s, "interval_s") <= 0:
            raise InvalidArgumentError(f"interval_s: expected more than 0, got {interval_s}")
        if not isinstance(model, str) or not model or model.startswith("-"):
            raise InvalidArgumentError(f"model: expected a name such as 'fast-cnn@stable', got {model!r}")
        for name in ("bundle", "model_path", "model_memory", "segmentation_model", "embedding_model"):
            if options.get(name) is not None:
                raise InvalidArgumentError(f"{name}: expected none, as the registry has the model")
        # A watch keeps no diarizer.
        self._diarizer = weakref.ref(diarizer)
        self._command = [
            os.fspath(command),
            "pull",
            model,
            f"--registry={os.fspath(registry)}",
            "--json",
        ]
        self._interval_s = float(interval_s)
        self._on_reload, self._on_error, self._options = on_reload, on_error, dict(options)
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._sha256: str | None = None
        self._thread = threading.Thread(target=self._run, name="voiceflow-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends it, and what it is fetching; a reload under way is waited for. Can be repeated."""
        self._ended.set()
        with self._lock:
            if self._process is not None:
                self._process.kill()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    @property
    def closed(self) -> bool:
        """Whether it has ended."""
        return not self._thread.is_alive()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._follow()
            except (ClosedError, ExitingError):
                return
            except Exception as error:
                self._tell(error)
            if self._diarizer() is None:
                return
            self._ended.wait(self._interval_s * random.uniform(1 - _JITTER, 1 + _JITTER))

    def _tell(self, error: Exception) -> None:
        if self._ended.is_set():
            return
        try:
            if self._on_error is not None:
                self._on_error(error)
            else:
                _log.warning("watch: %s", error)
        except Exception:
            _log.exception("watch: on_error raised")

    def _follow(self) -> None:
        """Asks the channel, and reloads where it has another version than the last time."""
        answer = self._pull()
        if answer is None:
            return
        diarizer = self._diarizer()
        if diarizer is None:
            return
        found = answer["resolved"]
        running = diarizer.info
        same = (found["name"], found["version"]) == (running.name, running.version)
        known = self._sha256 == found["sha256"] or (self._sha256 is None and same)
        if not known:
            diarizer.reload(bundle=answer["folder"], **self._options)
        self._sha256 = found["sha256"]
        if not known and self._on_reload is not None:
            self._on_reload(diarizer.info)
        if answer["stale"] is not None:
            raise RegistryError(f"{self._command[0]}: {answer['stale']}; what it said last holds")

    def _pull(self) -> dict[str, Any] | None:
        """What the command answers; None where the watch ended meanwhile."""
        with self._lock:
            if self._ended.is_set():
                return None
            pipe = subprocess.PIPE
            try:
                self._process = subprocess.Popen(
                    self._command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe
                )
            except OSError as error:
                raise RegistryError(f"{self._command[0]}: {error.strerror or error}") from error
        out, problem = self._process.communicate()
        status = self._process.returncode
        with self._lock:
            self._process = None
        if self._ended.is_set():
            return None
        if status != 0:
            text = problem.decode(errors="replace").strip() or f"exit status {status}"
            raise RegistryError(f"{self._command[0]}: {text}")
        try:
            answer: dict[str, Any] = json.loads(out)
            _ = answer["folder"], answer["stale"], answer["resolved"]["sha256"], answer["resolved"]["version"]
        except (ValueError, KeyError, TypeError) as error:
            raise RegistryError(
                f"{self._command[0]}: expected an answer in JSON, got {out[:80]!r}"
            ) from error
        return answer
