"""What a task fixes: the metrics, the target kind, the candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from automl.core.data import DataKind

Target = Literal["classes", "number"]


@dataclass(frozen=True)
class TaskInfo:
    """A task's facts.

    Attributes:
        name: as on the command line.
        target: what is predicted.
        metrics: allowed metric names, the usual default first; see `Task.default_metric`.
        candidates: built-in candidates in the order they are listed.
        summary: one line for `automl list tasks`.
        default_data: what `automl search` uses without DATA; empty if DATA is required.
        kind: what a row of its data is.
        spaces: another task whose space files and portfolio stand in where this one has none of its own; a task of a
            plugin names the built-in one whose candidates it takes.
    """

    name: str
    target: Target
    metrics: tuple[str, ...]
    candidates: tuple[str, ...]
    summary: str
    default_data: str = ""
    kind: DataKind = "image"
    spaces: str = ""
