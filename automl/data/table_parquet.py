"""Parquet files, read in batches of rows. Artifacts' own runner does not know them, so they are no part of serving/."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import numpy as np

from automl.serving.errors import InputError
from automl.serving.table_cells import ROWS, Cells, Chunk, Note, cells_of

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".parquet", ".pq")
_INDEX = "__index_level_"
"""Columns of this name are the row labels of a data frame."""


class ParquetTable:
    """A Parquet file, as `serving.table_cells.TableFile`.

    Attributes:
        path: the file.
        names: of the columns, without the row labels of a data frame.
        separator: a comma, as for all formats that have none.
        notes: what people should know.
    """

    separator = ","

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self._types = dict(zip(schema.names, schema.types, strict=True))
        self.names = tuple(name for name in schema.names if not name.startswith(_INDEX))
        left_out = [name for name in schema.names if name.startswith(_INDEX)]
        self.notes = [Note("index-left-out", f"{name} holds row labels of a data frame; it is left out")
                      for name in left_out]  # fmt: skip
        _check_names(path, self.names)

    def chunks(self, columns: Collection[str] | None = None, rows: int = ROWS) -> Iterator[Chunk]:
        """Yield the rows in order, so many at a time; see `TableFile.chunks`.

        Raises:
            InputError: damaged, or a column holds lists, structs or bytes.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        wanted = [name for name in self.names if columns is None or name in columns]
        for name in wanted:
            _check_type(self.path, name, self._types[name])
        try:
            with pq.ParquetFile(self.path, pre_buffer=False) as file:
                for batch in file.iter_batches(rows, columns=wanted, use_threads=False):
                    if len(batch):
                        yield {name: _cells(batch.column(name), name) for name in wanted}
        except (pa.ArrowException, OSError) as error:
            raise _damaged(self.path, error) from error


def open_parquet(path: Path) -> ParquetTable:
    """Return a Parquet file as a table; only its schema is read.

    Raises:
        InputError: it is no Parquet file, damaged, or column names repeat.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return ParquetTable(path, pq.read_schema(path))
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: BaseException) -> InputError:
    said = " ".join(str(error).split())[:200].rstrip(".")
    return InputError(f"{path}: cannot be read as Parquet ({said}). Write the file again.")


def _check_names(path: Path, names: tuple[str, ...]) -> None:
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        raise InputError(f"{path}: column names must differ. Got {repeated[0]!r} twice. Rename one.")
    if not names:
        raise InputError(f"{path}: at least one column is needed. Got {len(names)}. Write the file again.")


def _check_type(path: Path, name: str, kind: pa.DataType) -> None:
    import pyarrow as pa

    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_bytes = pa.types.is_binary(value) or pa.types.is_large_binary(value) or pa.types.is_fixed_size_binary(value)
    if pa.types.is_nested(value) or is_bytes:
        raise InputError(
            f"{path}: column {name!r}: a value must be text, a number, true or false, or a date. Got the type {kind}. "
            f"Make columns of its parts, or leave it out: --drop {quote(name)}"
        )


def _cells(column: pa.Array, name: str) -> Cells:
    """Return a column of a batch; whole numbers that float64 would round become texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_timestamp(kind):  # in UTC, where it has a zone
        column = column.cast(pa.timestamp(kind.unit))
        return cells_of(_array(column), name)
    if pa.types.is_date(kind) or pa.types.is_duration(kind) or (pa.types.is_integer(kind) and not column.null_count):
        return cells_of(_array(column), name)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_integer(kind):
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)
    if pa.types.is_boolean(kind) or pa.types.is_time(kind):
        column = column.cast(pa.string())
    texts: list[Any] = pc.fill_null(column.cast(pa.string()), "").to_pylist()
    return texts


def _array(column: pa.Array) -> np.ndarray:
    import pyarrow as pa

    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("s"))
    return np.asarray(column.to_numpy(zero_copy_only=False))
