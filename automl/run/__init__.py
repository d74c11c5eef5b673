"""One run: its folder, its time, its loop, and its end."""

from __future__ import annotations

from automl.run.folder import RunFolder
from automl.run.loop import Parts, Publisher, Run, Timekeeper

__all__ = ["Parts", "Publisher", "Run", "RunFolder", "Timekeeper"]
