"""Where log records go while a command runs."""

from __future__ import annotations

import logging
import sys


class StderrHandler(logging.Handler):
    """Writes to what stderr is at that moment, so that a live picture can make room for the line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        sys.stderr.write(self.format(record) + "\n")


def log_to_stderr() -> None:
    """Send warnings and worse to stderr, one line each; once, however often it is called."""
    root = logging.getLogger()
    if not any(isinstance(handler, StderrHandler) for handler in root.handlers):
        handler = StderrHandler(logging.WARNING)
        handler.setFormatter(logging.Formatter("warning: %(message)s"))
        root.addHandler(handler)
