"""What the program knows about a data set, and what it tells the user about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Level = Literal["info", "warning"]
DataKind = Literal["image"]


@dataclass(frozen=True)
class Finding:
    """Something the user should know about the data or the plan; told, journaled, reported."""

    code: str
    level: Level
    message: str


@dataclass(frozen=True)
class DataSpec:
    """The facts of a data set.

    Attributes:
        name: short, for folders and experiments.
        kind: what a row is.
        rows: number of rows.
        shape: of one row as stored; images (height, width, channels).
        classes: class labels in the order of their codes; empty for regression.
        class_counts: rows of each class.
        fingerprint: SHA-256 of the content, independent of paths and file times.
        input: what serving/ needs to turn a user's file into rows (JSON values only).
    """

    name: str
    kind: DataKind
    rows: int
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    class_counts: tuple[int, ...]
    fingerprint: str
    input: dict[str, int | float | str | bool | list[int]] = field(default_factory=dict)
