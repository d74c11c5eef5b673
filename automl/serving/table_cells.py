"""Cells of a table before anybody knows what they mean: texts, or numbers where they are numbers already."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from .errors import InputError

Cells = list[str] | np.ndarray
"""One column: texts as written, "" where nothing is; or float64, NaN where nothing is."""
Chunk = dict[str, Cells]
"""Rows as columns of equal length, by name."""
ROWS = 50_000
"""Rows of a chunk at most."""
_CELLS = 200_000  # of a chunk: some tens of MB as texts; more is not quicker
_LARGEST_EXACT = 2**53  # integers up to here are the same as float64
_NUMBER_TYPES = frozenset({int, float, type(None)})
_ABSENT = frozenset({"<NA>", "NaT"})


class Note(NamedTuple):
    """Something people should know about how a table was read."""

    code: str
    message: str


class TableFile(Protocol):
    """A file of rows, read in chunks, as often as wanted.

    Attributes:
        path: the file.
        names: of the columns, in the order of the file.
        separator: between columns; "," where the format has none.
        notes: what people should know; complete once the chunks were read to their end.
    """

    path: Path
    names: tuple[str, ...]
    separator: str
    notes: list[Note]

    def chunks(self, columns: Collection[str] | None = None, rows: int = ROWS) -> Iterator[Chunk]:
        """Yield the rows in order, so many at a time; no chunk is empty.

        Args:
            columns: those that are wanted, None for all; names that the file lacks are passed over.
            rows: of a chunk at most.

        Raises:
            InputError: a row is malformed (with file and line).
        """
        ...


def rows_within(rows: int, columns: int) -> int:
    """Return rows, or fewer where the columns are many, so that a chunk stays small.

    >>> rows_within(50_000, 3), rows_within(50_000, 1000)
    (50000, 200)
    """
    return max(1, min(rows, max(100, _CELLS // max(1, columns))))


def number_text(value: float) -> str:
    """Return a number as a category: whole ones without a point.

    >>> number_text(3.0), number_text(0.25)
    ('3', '0.25')
    """
    return str(int(value)) if abs(value) < 1e15 and value == int(value) else repr(float(value))


def texts_of(cells: Cells) -> list[str]:
    """Return cells as texts; numbers as `number_text` writes them, NaN as ""."""
    if isinstance(cells, list):
        return cells
    values, places = np.unique(cells, return_inverse=True)
    texts = ["" if value != value else number_text(value) if abs(value) < np.inf else str(value) for value in values]
    return [texts[place] for place in places.tolist()]


def plain(text: str) -> str:
    """Return a text that can be written: halves of surrogate pairs become question marks."""
    return text.encode("utf-8", "replace").decode()


def plain_texts(texts: list[str]) -> list[str]:
    """Return texts that can be written; the same list if all can."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return [plain(text) for text in texts]
    return texts


def cells_of(values: Sequence[Any] | np.ndarray, name: str) -> Cells:
    """Return a column in memory as cells: numbers stay numbers, dates become ISO 8601, true and false words.

    Args:
        values: a list, or an array with one axis.
        name: of the column, for messages.

    Raises:
        InputError: a value is none of text, number, truth value, date or missing.
    """
    if not isinstance(values, np.ndarray) or values.dtype == object:
        return _cells_of_objects(list(values), name)
    if values.ndim != 1:
        raise InputError(f"column {name!r}: one value per row is needed. Got shape {values.shape}. Split the column.")
    kind = values.dtype.kind
    if kind in "fiu":
        return _numbers(values)
    if kind == "b":
        return ["true" if value else "false" for value in values.tolist()]
    if kind in "MUT":
        words: list[str] = values.astype(str).tolist()
        return ["" if word in _ABSENT else word for word in words]
    if kind == "m":
        seconds: np.ndarray = values / np.timedelta64(1, "s")
        return seconds
    raise InputError(f"column {name!r}: numbers, texts or dates are needed. Got dtype {values.dtype}. Convert it.")


def chunk_of(frame: Any) -> Chunk:
    """Return an object in memory as a chunk.

    Args:
        frame: a dict of columns, a list of dicts (a key that is missing is a missing value), a structured array, or
            what has `columns` (or `column_names`) and gives a column by its name, as data frames do.

    Raises:
        InputError: it is something else, names repeat, or columns differ in length.
    """
    chunk: Chunk = {}
    for key, values in _columns(frame):
        name = plain(str(key))
        if name in chunk:
            raise InputError(f"columns: names must differ. Got {name!r} twice. Rename one.")
        chunk[name] = cells_of(values, name)
    lengths = {len(cells) for cells in chunk.values()}
    if len(lengths) > 1:
        sizes = {name: len(cells) for name, cells in chunk.items()}
        raise InputError(f"columns: all need the same number of rows. Got {str(sizes)[:200]}. Cut or fill them.")
    return chunk


def _columns(frame: Any) -> list[tuple[Any, Any]]:
    if isinstance(frame, Mapping):
        return [(name, _values(column)) for name, column in frame.items()]
    if isinstance(frame, np.ndarray) and frame.dtype.names:
        return [(name, frame[name]) for name in frame.dtype.names]
    if isinstance(frame, list | tuple) and all(isinstance(row, Mapping) for row in frame):
        keys = dict.fromkeys(key for row in frame for key in row)
        return [(key, [row.get(key) for row in frame]) for key in keys]
    names = getattr(frame, "column_names", getattr(frame, "columns", None))
    if names is None or not hasattr(frame, "__getitem__"):
        raise InputError(
            f"rows: a data frame, a dict of columns or a list of dicts is needed. Got {type(frame).__name__}."
        )
    _refuse_repeated([str(name) for name in names])
    return [(name, _values(frame[name])) for name in names]


def _refuse_repeated(names: list[str]) -> None:
    if len(set(names)) < len(names):
        repeated = next(name for name in names if names.count(name) > 1)
        raise InputError(f"columns: names must differ. Got {repeated!r} twice. Rename one.")


def _values(column: Any) -> Sequence[Any] | np.ndarray:
    if isinstance(column, np.ndarray | list | tuple):
        return column
    if hasattr(column, "to_pylist"):  # Arrow
        values: list[Any] = column.to_pylist()
        return values
    if hasattr(column, "to_numpy"):
        return np.asarray(column.to_numpy())
    raise InputError(f"column: a list or an array is needed. Got {type(column).__name__}. Convert it.")


def _numbers(values: np.ndarray) -> Cells:
    """Return numbers as float64, or as texts where that would round them."""
    is_whole = values.dtype.kind in "iu"
    if is_whole and values.size and max(int(values.max()), -int(values.min())) > _LARGEST_EXACT:
        return [str(value) for value in values.tolist()]
    return np.asarray(values, np.float64)


def _cells_of_objects(values: list[Any], name: str) -> Cells:
    kinds = set(map(type, values))
    if kinds == {str}:
        return plain_texts(values)
    is_exact = kinds <= _NUMBER_TYPES and (
        int not in kinds or all(type(value) is not int or abs(value) <= _LARGEST_EXACT for value in values)
    )
    if is_exact:
        return np.array(values, dtype=np.float64)  # None becomes NaN
    return [_text(value, name, row) for row, value in enumerate(values)]


def _text(value: Any, name: str, row: int) -> str:
    if isinstance(value, str):
        return value
    if value is None or str(value) in _ABSENT or value != value:  # pandas' NA is neither equal nor not
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return number_text(float(value)) if np.isfinite(value) else str(float(value))
    if hasattr(value, "isoformat") or type(value).__name__ in ("Decimal", "UUID"):
        return str(value)
    raise InputError(
        f"column {name!r}, row {row + 1}: a value must be text, a number, true or false, a date, or missing. "
        f"Got {type(value).__name__} {str(value)[:60]!r}. Convert it or leave the column out."
    )
