"""Log records reach stderr as it is at that moment."""

from __future__ import annotations

import io
import logging

import pytest

from automl.cli.logs import StderrHandler, log_to_stderr


def test_a_warning_goes_to_what_stderr_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    log_to_stderr()
    replaced = io.StringIO()
    monkeypatch.setattr("sys.stderr", replaced)
    logging.getLogger("automl.try").warning("worker %s died", "w0")
    assert replaced.getvalue() == "warning: worker w0 died\n"


def test_what_is_no_warning_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    log_to_stderr()
    replaced = io.StringIO()
    monkeypatch.setattr("sys.stderr", replaced)
    logging.getLogger("automl.try").info("all is well")
    assert replaced.getvalue() == ""


def test_asked_twice_there_is_one_handler() -> None:
    log_to_stderr()
    log_to_stderr()
    assert sum(isinstance(handler, StderrHandler) for handler in logging.getLogger().handlers) == 1
