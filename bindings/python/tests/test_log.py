"""Records of the library in Python's logging."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Iterator

import libvoiceflow
import pytest
from conftest import MODEL, PATIENCE_S
from libvoiceflow import Session
from libvoiceflow._library import library


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """One that nobody else uses."""
    yield logging.getLogger("host.diarization")
    libvoiceflow.log_to(None)


def test_records(logger: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "host"):
        libvoiceflow.log_to(logger)
        Session(model_path=MODEL).close()
    assert caplog.records
    assert all(record.name.startswith("host.diarization.") for record in caplog.records)
    assert {record.levelno for record in caplog.records} <= {10, 20, 30, 40}
    assert not any("voiceflow::" in record.name or "::" in record.name for record in caplog.records)


def test_levels(logger: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(1, "host"):
        libvoiceflow.log_to(logger, logging.DEBUG)
        Session(model_path=MODEL).close()
        assert logging.DEBUG in {record.levelno for record in caplog.records}
        caplog.clear()
        libvoiceflow.log_to(logger, logging.INFO)
        Session(model_path=MODEL).close()
        assert logging.DEBUG not in {record.levelno for record in caplog.records}
        caplog.clear()
        libvoiceflow.log_to(logger, logging.CRITICAL)
        Session(model_path=MODEL, provider="tensorrt").close()
        assert caplog.records == []
        libvoiceflow.log_to(logger, logging.WARNING)
        Session(model_path=MODEL, provider="tensorrt").close()
        assert [record.levelno for record in caplog.records].count(logging.WARNING) >= 1
        caplog.clear()
        libvoiceflow.log_to(None)
        Session(model_path=MODEL, provider="tensorrt").close()
        assert caplog.records == []


def test_a_handler_that_uses_the_library_is_refused(logger: logging.Logger) -> None:
    said: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            try:
                libvoiceflow.Cancel()
            except libvoiceflow.InvalidArgumentError as error:
                said.append(str(error))

    handler = Handler()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        libvoiceflow.log_to(logger)
        Session(model_path=MODEL).close()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    assert said and all("callback" in text for text in said)


def test_what_fails_changes_nothing(logger: logging.Logger, caplog: pytest.LogCaptureFixture) -> None:
    other = logging.getLogger("host.another")
    with caplog.at_level(logging.DEBUG, "host"):
        libvoiceflow.log_to(logger)
        with pytest.raises(
            libvoiceflow.InvalidArgumentError, match="level: expected a whole number, got 'INFO'"
        ):
            libvoiceflow.log_to(other, "INFO")  # type: ignore[arg-type]
        inside_callback: list[str] = []

        class Handler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                with pytest.raises(libvoiceflow.InvalidArgumentError, match="callback"):
                    libvoiceflow.log_to(other)
                inside_callback.append(record.name)

        handler = Handler()
        logger.addHandler(handler)
        try:
            Session(model_path=MODEL).close()
        finally:
            logger.removeHandler(handler)
    assert inside_callback
    assert {record.name.rpartition(".")[0] for record in caplog.records} == {"host.diarization"}


def test_a_logger_and_its_level_come_together(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two threads that set them at once."""
    fine, coarse, vf = logging.getLogger("host.fine"), logging.getLogger("host.coarse"), library()
    calls, begun = itertools.count(), threading.Event()

    class Slow:
        def vf_set_log_callback(self, *arguments: object) -> int:
            if next(calls) == 0:
                begun.set()
                # For another one that does not wait to come first.
                time.sleep(0.3)
            return int(vf.vf_set_log_callback(*arguments))

    with caplog.at_level(logging.DEBUG, "host"):
        with monkeypatch.context() as patch:
            patch.setattr(libvoiceflow._log, "library", Slow)
            first = threading.Thread(target=libvoiceflow.log_to, args=(fine, logging.DEBUG))
            first.start()
            assert begun.wait(PATIENCE_S)
            libvoiceflow.log_to(coarse, logging.CRITICAL)
            first.join()
        assert next(calls) == 2
        Session(model_path=MODEL).close()
        libvoiceflow.log_to(None)
    assert caplog.records == []
