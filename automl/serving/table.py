"""A table in memory, and the rule by which a user's table becomes one. Stored in every artifact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .errors import ModelError
from .texts import Texts

ColumnKind = Literal["number", "boolean", "category", "date", "text"]
KINDS: tuple[ColumnKind, ...] = ("number", "boolean", "category", "date", "text")
UNSEEN = -1.0
"""The code of a category that the training data did not have."""
VERBATIM = "verbatim"
"""The format of a column of text in which "null" and "NA" are texts like any other."""
MAX_COLUMNS = 100_000
MAX_CATEGORIES = 1_000_000


class Table:
    """Rows of a table, indexed as an array is.

    Attributes:
        numbers: (n, columns that are no text) float64, in the order of the rule; NaN is missing, and so is what single
            precision cannot hold, so that no other value is infinite. Booleans are 0 and 1,
            dates seconds since 1970 (UTC), categories their place in `Column.categories`, `UNSEEN` if it is not there.
        texts: one column each for the columns of text, in the order of the rule; a missing text is empty.
    """

    def __init__(self, numbers: np.ndarray, texts: tuple[Texts, ...] = ()) -> None:
        self.numbers = numbers
        self.texts = texts

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: np.ndarray | slice) -> Table:
        return Table(self.numbers[index], tuple(column[index] for column in self.texts))

    @classmethod
    def joined(cls, parts: Sequence[Table]) -> Table:
        """Return the rows of all parts, one part after the other; there must be at least one."""
        texts = (Texts.joined(columns) for columns in zip(*(part.texts for part in parts), strict=True))
        return cls(np.concatenate([part.numbers for part in parts]), tuple(texts))


@dataclass(frozen=True)
class Column:
    """A column that models read.

    Attributes:
        name: as in the header.
        kind: what its values are.
        categories: for kind "category", all values of the training data, most frequent first.
        format: for kind "date", how the day is written, as `strptime` takes it (a time may follow in any common form);
            empty for ISO 8601. For kind "number", "," where that is the decimal sign. For kind "text", `VERBATIM` where
            no word means that there is none. Else empty.
    """

    name: str
    kind: ColumnKind
    categories: tuple[str, ...] = ()
    format: str = ""


@dataclass(frozen=True)
class TableRule:
    """How a table becomes rows.

    Attributes:
        columns: those that are read, in the order of the training table; others are ignored.
        separator: of a delimited file in training; what a file is read with is found out anew for each file.
    """

    columns: tuple[Column, ...]
    separator: str = ","

    @property
    def numbers(self) -> tuple[Column, ...]:
        """Return the columns that are no text, in the order of `Table.numbers`."""
        return tuple(column for column in self.columns if column.kind != "text")

    @property
    def texts(self) -> tuple[Column, ...]:
        """Return the columns of text, in the order of `Table.texts`."""
        return tuple(column for column in self.columns if column.kind == "text")

    def to_json(self) -> dict[str, Any]:
        """Return the rule as JSON values, with what kind of input it is."""
        columns = [_column_json(column) for column in self.columns]
        return {"kind": "table", "separator": self.separator, "columns": columns}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TableRule:
        """Read a rule; keys this version does not know are left alone.

        Raises:
            ModelError: it is no table rule, or a column is malformed.
        """
        if values.get("kind") != "table":
            raise ModelError(f"input: kind must be 'table' here. Got {values.get('kind')!r}.")
        entries = values.get("columns")
        if not isinstance(entries, list) or not 0 < len(entries) <= MAX_COLUMNS:
            raise ModelError(f"input: columns must be a list of 1 to {MAX_COLUMNS}. Got {str(entries)[:80]!r}.")
        columns = tuple(_column(entry) for entry in entries)
        if len({column.name for column in columns}) != len(columns):
            raise ModelError(f"input: columns must have different names. Got {[c.name for c in columns][:20]!r}.")
        separator = values.get("separator", ",")
        if not isinstance(separator, str) or len(separator) != 1:
            raise ModelError(f"input: separator must be one sign. Got {separator!r}.")
        return cls(columns, separator)


def _column_json(column: Column) -> dict[str, Any]:
    values: dict[str, Any] = {"name": column.name, "kind": column.kind}
    if column.kind == "category":
        values["categories"] = list(column.categories)
    if column.format:
        values["format"] = column.format
    return values


def _column(entry: object) -> Column:
    if not isinstance(entry, dict):
        raise ModelError(f"input: a column must be an object. Got {str(entry)[:80]!r}.")
    name, kind = entry.get("name"), entry.get("kind")
    if not isinstance(name, str) or kind not in KINDS:
        raise ModelError(f"input: a column needs a name and a kind of {', '.join(KINDS)}. Got {name!r}, {kind!r}.")
    categories, form = entry.get("categories", []), entry.get("format", "")
    is_list = isinstance(categories, list) and len(categories) <= MAX_CATEGORIES
    if not is_list or not all(isinstance(label, str) for label in categories):
        raise ModelError(f"input: column {name!r}: categories must be texts. Got {str(categories)[:80]!r}.")
    if not isinstance(form, str):
        raise ModelError(f"input: column {name!r}: format must be text. Got {form!r}.")
    return Column(name, kind, tuple(categories), form)
