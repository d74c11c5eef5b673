"""What is known of a column of text before the search: its rule, its lengths, and what is worth telling about it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from automl.core.data import DataSpec, Finding
from automl.data.table_findings import sample_rows
from automl.data.table_hashes import repeated_findings, table_hashes
from automl.errors import DataError
from automl.serving.table import VERBATIM, Column, Table, TableRule
from automl.serving.table_cells import Chunk
from automl.serving.table_infer import Inferred
from automl.serving.texts import Texts

_BLOCK = 65_536
_SAMPLE = 20_000
_LONG = 5_000
"""Characters beyond which most models read the beginning only."""
_EMPTY_SHARE = 0.01
_SHOWN = 8


def text_alone(chunks: Iterable[Chunk], name: str, separator: str) -> Inferred:
    """Return a rule of one column of text, after all chunks went by."""
    rows = sum(len(chunk[name]) for chunk in chunks)
    return Inferred(TableRule((Column(name, "text", format=VERBATIM),), separator), {name: "text"}, rows, [])


def text_shape(texts: Texts, shown: str) -> tuple[int, int, int]:
    """Return the shape of a row of text: 1, mean characters, most characters.

    Raises:
        DataError: all texts are empty.
    """
    lengths = _lengths(texts)
    most = int(lengths.max(initial=0))
    if not most:
        raise DataError(f"{shown}: texts to learn from are needed. Got {len(texts)} that are all empty. Check --text.")
    return 1, max(1, round(float(lengths.mean()))), most


def text_findings(spec: DataSpec, table: Table, y: np.ndarray) -> list[Finding]:
    """Return what is worth knowing about texts to learn from."""
    lengths = _lengths(table.texts[0])
    return [
        _summary(spec, lengths),
        *_unused(spec),
        *_empty(lengths),
        *_long(lengths),
        *_scripts(table.texts[0]),
        *repeated_findings(table_hashes(table), y),
    ]


def _lengths(texts: Texts) -> np.ndarray:
    """Return the characters of each text, int64 (n,), counted without decoding: bytes that continue none."""
    lengths = np.zeros(len(texts), np.int64)
    for start in range(0, len(texts), _BLOCK):
        packed = texts[start : start + _BLOCK].packed()
        counted = np.concatenate([[0], np.cumsum((packed.data & 0xC0) != 0x80)])
        lengths[start : start + _BLOCK] = np.diff(counted[np.concatenate([[0], packed.ends])])
    return lengths


def _summary(spec: DataSpec, lengths: np.ndarray) -> Finding:
    column = next(name for name, kind in spec.columns.items() if kind == "text")
    message = f"texts in {column!r}: {int(np.median(lengths))} characters in the median, {int(lengths.max())} at most"
    return Finding("texts", "info", message)


def _unused(spec: DataSpec) -> list[Finding]:
    unused = [name for name, kind in spec.columns.items() if kind == "unused"]
    if not unused:
        return []
    shown = ", ".join(map(repr, unused[:_SHOWN])) + (f" and {len(unused) - _SHOWN} more" if unused[_SHOWN:] else "")
    message = f"only the text is learned from, not: {shown}; --task tabular-clf learns from all columns"
    return [Finding("columns-unused", "info", message)]


def _empty(lengths: np.ndarray) -> list[Finding]:
    empty = int((lengths == 0).sum())
    if not empty:
        return []
    level = "warning" if empty >= _EMPTY_SHARE * len(lengths) else "info"
    message = f"{empty} of {len(lengths)} texts are empty; they are predicted from how often each class is empty"
    return [Finding("texts-empty", level, message)]  # type: ignore[arg-type]


def _long(lengths: np.ndarray) -> list[Finding]:
    long = int((lengths > _LONG).sum())
    if not long:
        return []
    message = f"{long} of {len(lengths)} texts have more than {_LONG:,} characters; networks read their beginning only"
    return [Finding("texts-long", "info", message)]


def _scripts(texts: Texts) -> list[Finding]:
    """Tell texts in scripts that put no blanks between words."""
    some = texts[sample_rows(len(texts), _SAMPLE)].packed().data.tobytes().decode("utf-8", "replace")
    letters = sum(map(str.isalpha, some))
    unspaced = sum("\u3040" <= sign <= "\u30ff" or "\u4e00" <= sign <= "\u9fff" or "\u0e00" <= sign <= "\u0eff"
                   for sign in some)  # fmt: skip
    if unspaced <= letters / 2:
        return []
    return [Finding("texts-unspaced", "info", "most letters are of a script without blanks; they are read one by one")]
