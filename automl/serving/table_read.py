"""Open a file of rows: CSV, TSV, JSON Lines. What cells mean is for others to say."""

from __future__ import annotations

from pathlib import Path

from .errors import InputError
from .table_cells import Cells, Chunk, Note, TableFile
from .table_delimited import DelimitedFile
from .table_json import JsonLines
from .table_lines import check_regular

__all__ = ["SUFFIXES", "Cells", "Chunk", "Note", "TableFile", "open_table"]

_DELIMITED = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": ",", ".data": ","}
_JSON_LINES = (".jsonl", ".ndjson")
SUFFIXES = (*_DELIMITED, *_JSON_LINES)
"""Endings of files that are read."""


def open_table(path: Path) -> TableFile:
    """Open a table; its names are known at once, its rows are read as `chunks` are asked for.

    Raises:
        InputError: another ending, no regular file, no names, or malformed at its start.
    """
    check_regular(path)
    suffix = path.suffix.lower()
    if suffix in _JSON_LINES:
        return JsonLines(path)
    if suffix not in _DELIMITED:
        raise InputError(f"{path.name}: endings of tables: {' '.join(SUFFIXES)}. Got {suffix!r}. Rename or convert it.")
    return DelimitedFile(path, _DELIMITED[suffix])
