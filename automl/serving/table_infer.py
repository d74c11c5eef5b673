"""Find out what the columns of a table are, in one pass over its rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from .table import Column, TableRule
from .table_cells import Chunk, Note
from .table_profile import ENOUGH, Numbers, Profile, Words, best_numbers, is_text
from .table_times import DateCounts
from .table_values import FALSE, TRUE

KINDS = ("number", "boolean", "category", "date", "text", "identifier", "constant", "dropped")
"""What a column may be, for people; the last three are not read."""
MOST_CATEGORIES = 100_000
"""Different values of a column that are kept."""
_COUNTED = 10_000  # different values after which a column of numbers, dates or texts is known as such
_ALL_COUNTED, _ALL_KEPT = 2_000_000, 4_000_000  # over all columns
_FEW = 20  # rows too few to tell a sequence of numbers from a measure
_MANY = 200  # rows enough to call a column an identifier although some values come twice
_NEARLY_ALL = 0.98
_ID_WORDS = frozenset({"id", "ids", "uid", "uuid", "guid", "key", "index", "idx", "rowid", "rownum", "userid"})
_NAME_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


class Inferred(NamedTuple):
    """What is known of a table after one look at all its rows.

    Attributes:
        rule: the columns that can be learned from.
        kinds: every column's kind, one of `KINDS`.
        rows: how many.
        notes: what people should know.
    """

    rule: TableRule
    kinds: dict[str, str]
    rows: int
    notes: list[Note]


class _Finding(NamedTuple):
    kind: str
    column: Column | None = None
    note: Note | None = None


def infer(
    file_chunks: Iterable[Chunk], names: Sequence[str], *, dropped: Collection[str] = (), separator: str = ","
) -> Inferred:
    """Find the kind of each column.

    Memory is bounded: a column keeps at most 100,000 different values, and all columns together 4 million.

    Args:
        file_chunks: all rows, as `TableFile.chunks` gives them.
        names: of the columns, in the order wanted in the rule.
        dropped: columns that are not looked at.
        separator: of the file, for the rule.
    """
    wanted = [name for name in names if name not in dropped]
    enough = min(_COUNTED, max(100, _ALL_COUNTED // max(1, len(wanted))))
    most = min(MOST_CATEGORIES, max(1000, _ALL_KEPT // max(1, len(wanted))))
    profiles = {name: Profile(enough=enough, most=most) for name in wanted}
    rows = 0
    for chunk in file_chunks:
        rows += len(next(iter(chunk.values()), ()))
        for name, profile in profiles.items():
            profile.add(chunk[name])
    found = {name: _judge(name, profile) for name, profile in profiles.items()}
    columns = tuple(finding.column for finding in found.values() if finding.column)
    kinds = {name: found[name].kind if name in found else "dropped" for name in names}
    notes = [finding.note for finding in found.values() if finding.note]
    return Inferred(TableRule(columns, separator), kinds, rows, notes)


def _judge(name: str, profile: Profile) -> _Finding:
    if isinstance(profile.view, Words):
        return _Finding("text", Column(name, "text"))
    if profile.view is None:
        categories = profile.categories()
        found = _as_constant(categories, profile.rows) or _as_boolean(name, categories)
        return found or _as_number(name, profile) or _as_date(name, profile) or _as_words(name, profile, categories)
    return _as_number(name, profile) or _as_date(name, profile) or _as_words(name, profile, profile.categories())


def _as_constant(categories: Counter[str], rows: int) -> _Finding | None:
    """Return the finding for a column without information: all missing, or one value and none missing."""
    if len(categories) > 1 or sum(categories.values()) not in (0, rows):
        return None
    return _Finding("constant")


def _as_boolean(name: str, categories: Collection[str]) -> _Finding | None:
    words = {text.casefold() for text in islice(categories, _FEW)}
    is_boolean = len(words) == 2 and len(words & TRUE) == len(words & FALSE) == 1
    return _Finding("boolean", Column(name, "boolean")) if is_boolean else None


def _as_number(name: str, profile: Profile) -> _Finding | None:
    if isinstance(profile.view, DateCounts):
        return None
    numbers = profile.view if isinstance(profile.view, Numbers) else best_numbers(profile.counts)
    if numbers.share < ENOUGH or not numbers.present:
        return None
    is_each_once = numbers.is_whole and numbers.is_distinct and numbers.present == profile.rows >= _FEW
    if is_each_once and (numbers.is_sequence or is_id_name(name)):
        return _Finding("identifier")
    note = _odd_note(name, numbers.odd, numbers.example, "numbers")
    return _Finding("number", Column(name, "number", format="," if numbers.comma else ""), note)


def _as_date(name: str, profile: Profile) -> _Finding | None:
    if isinstance(profile.view, DateCounts):
        dates = profile.view
    else:
        dates = DateCounts()
        dates.add_counts(profile.counts)
    choice = dates.choice()
    if choice is None or choice.share < ENOUGH:
        return None
    note = None
    if choice.is_ambiguous:
        order = "month before the day" if choice.format.startswith("%m") else "day before the month"
        note = Note("ambiguous-dates", f"{name}: dates can be read in two ways; they are read with the {order}.")
    return _Finding("date", Column(name, "date", format=choice.format), note)


def _as_words(name: str, profile: Profile, counts: Counter[str]) -> _Finding:
    present = sum(counts.values())  # with values that come again, also of those that are no longer taken in
    if is_text(counts):
        return _Finding("text", Column(name, "text"))
    share = len(counts) / max(1, present)
    if (present >= _FEW and share == 1) or (present >= _MANY and share >= _NEARLY_ALL):
        return _Finding("identifier")
    ordered = sorted(counts, key=lambda text: (-counts[text], text))
    note = None
    if profile.is_cut:
        note = Note("many-categories", f"{name}: only {len(ordered):,} different values are known by name.")
    return _Finding("category", Column(name, "category", tuple(ordered)), note)


def _odd_note(name: str, odd: int, example: str, wanted: str) -> Note | None:
    if not odd:
        return None
    return Note(
        "odd-values", f"{name}: {odd:,} values that are no {wanted} count as missing, such as {example[:40]!r}."
    )


def is_id_name(name: str) -> bool:
    """Return whether a name says that the column identifies rows.

    >>> is_id_name("PassengerId"), is_id_name("order_id"), is_id_name("width")
    (True, True, False)
    """
    parts = [part.casefold() for part in _NAME_PART.findall(name)]
    return bool(parts) and (parts[-1] in _ID_WORDS or parts[0] in _ID_WORDS)
