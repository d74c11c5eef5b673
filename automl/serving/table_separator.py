"""Which sign separates the columns of a delimited file, from its first lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from typing import NamedTuple

from .errors import InputError

SEPARATORS = (",", ";", "\t", "|")
NAMES = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}
"""Separators as messages name them."""
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")


class Layout(NamedTuple):
    """How lines become fields.

    Attributes:
        separator: between fields.
        skips_space: whether a quote may stand behind a separator and a space.
    """

    separator: str
    skips_space: bool


def layout_of(head: Sequence[str], preferred: str, *, name: str, is_cut: bool = False) -> Layout:
    """Find the separator of a file.

    The preferred one holds where it splits all lines alike, into two fields at least; else the one that does so into
    most fields; else the preferred one, and the file has one column (or a malformed line, which reading will tell).

    Args:
        head: the first lines.
        preferred: what the file's ending stands for.
        name: of the file, for the message.
        is_cut: whether more lines follow; the last row of head may then end in one of them.

    Raises:
        InputError: fields are separated by ';' and numbers hold commas.
    """
    widths = {separator: _width(head, separator, is_cut=is_cut) for separator in SEPARATORS}
    best = max(SEPARATORS, key=lambda separator: (widths[separator], separator == preferred))
    chosen = preferred if widths[preferred] >= 2 or widths[best] < 2 else best
    if chosen == ";":
        _refuse_decimal_commas(head, name)
    return Layout(chosen, _is_spaced(head, chosen))


def _width(head: Sequence[str], separator: str, *, is_cut: bool) -> int:
    """Return the number of fields that all lines have; 0 if they differ. Empty fields at the end do not count."""
    try:
        rows = [row for row in csv.reader(head, delimiter=separator) if row]
    except csv.Error:
        return 0
    width = len(trimmed(rows[0])) if rows else 0
    whole = rows[:-1] if is_cut and len(rows) > 1 else rows
    return width if all(len(trimmed(row)) <= width <= len(row) for row in whole) else 0


def _is_spaced(head: Sequence[str], separator: str) -> bool:
    """Return whether quotes open behind a space; within a field they are doubled, at its end a separator follows."""
    sign = re.escape(separator)
    opening = re.compile(rf'(?:^|{sign}) +"(?!["\r\n]|{sign}|$)')
    return any(opening.search(line) for line in head)


def trimmed(row: list[str]) -> list[str]:
    """Return a row without the empty fields at its end; at least one is left."""
    end = len(row)
    while end > 1 and not row[end - 1].strip():
        end -= 1
    return row[:end]


def _refuse_decimal_commas(head: Sequence[str], name: str) -> None:
    for line, row in enumerate(csv.reader(head, delimiter=";"), start=1):
        commas = [cell for cell in row if _DECIMAL_COMMA.fullmatch(cell.strip())]
        if commas:
            raise InputError(
                f"{name}: columns seem to be separated by ';' and numbers to have a decimal comma. Got {commas[0]!r} "
                f"in line {line}: whether ',' ends a column is not guessed. Save it with ',' between columns and '.' "
                "in numbers, or with tabs as .tsv."
            )
