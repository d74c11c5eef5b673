"""Commands that run in the test's own process leave no log handler behind."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from automl.cli.logs import StderrHandler


@pytest.fixture(autouse=True)
def _log_handlers_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = list(root.handlers)
    root.handlers = [handler for handler in before if not isinstance(handler, StderrHandler)]
    yield
    root.handlers = before
