"""What the program knows about a data set, and what it tells the user about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Level = Literal["info", "warning"]
DataKind = Literal["image", "table", "text", "series"]
"""What a row is; a text is a row of a table whose only feature is one column of text."""
Split = Literal["stratified", "group", "time"]


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
        shape: of one row as stored: images (height, width, channels), tables (columns,), texts (1, mean characters,
            most characters), series (channels, mean steps, most steps).
        classes: class labels in the order of their codes; empty for regression.
        class_counts: rows of each class.
        fingerprint: SHA-256 of the content, independent of paths and file times.
        input: what serving/ needs to turn a user's file into rows (JSON values only).
        split: how folds must be made: at random, by groups of rows, or in the order of time.
        target: name of the target column; empty where there is none.
        is_weighted: whether rows have weights.
        columns: for tables, every column of the file and what became of it, for people: name → kind.
    """

    name: str
    kind: DataKind
    rows: int
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    class_counts: tuple[int, ...]
    fingerprint: str
    input: dict[str, Any] = field(default_factory=dict)
    split: Split = "stratified"
    target: str = ""
    is_weighted: bool = False
    columns: dict[str, str] = field(default_factory=dict)
