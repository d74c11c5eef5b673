"""The configurations that are tried first, from a TOML text."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from automl.core.space import CandidateSpace, Configuration, Float, SearchSpace, Value
from automl.errors import SpaceError
from automl.spaces.place import Place, check_keys, did_you_mean, is_value, parse, shown, table_at, text_at

_LOG = logging.getLogger(__name__)


def read_portfolio(
    text: str, origin: str, space: SearchSpace, *, known: Collection[str] = (), rows: int | None = None
) -> tuple[Configuration, ...]:
    """Return the configurations a portfolio lists, in its order, completed with defaults.

    A portfolio vouches for the space files in its own folder. Where a candidate's space came from another folder (the
    user's, say) and an entry lies outside of it, the default of that space takes the entry's place.

    Args:
        text: the content of a portfolio file: a list of `[[configuration]]` with `candidate` and, where they differ
            from the defaults, `params`; `rows = [least, most]` keeps an entry to data of that size.
        origin: the file it came from; named in errors.
        space: the candidates in force; entries of others are left out.
        known: all candidates of the task; an entry of none of them is a mistake. Empty to leave such entries out.
        rows: of the data; entries for data of another size are left out. None keeps all.

    Raises:
        SpaceError: an unknown key, an unknown candidate, an entry outside its space, or an entry twice.
    """
    place = Place(origin)
    table = parse(text, origin)
    check_keys(table, ("configuration", "source"), place)
    entries = table.get("configuration", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise place.at("configuration").error(
            f"must be a list of tables. Got {shown(entries)}. Write [[configuration]] above each."
        )
    seen: dict[str, int] = {}
    kept: list[Configuration] = []
    for number, entry in enumerate(entries, start=1):
        configuration = _entry(entry, place.at(f"configuration {number}"), space, known)
        is_fit = _fits(entry, place.at(f"configuration {number}"), rows)
        if configuration is not None and is_fit and _is_new(configuration, seen, number, space, place):
            kept.append(configuration)
    return tuple(kept)


def _entry(entry: Mapping[str, Any], place: Place, space: SearchSpace, known: Collection[str]) -> Configuration | None:
    check_keys(entry, ("candidate", "params", "rows"), place)
    name = text_at(entry, "candidate", place, 'Write candidate = "resnet".')
    if name not in space.candidates:
        if known and name not in known:
            raise place.error(
                f"{shown(name)} is not a candidate.{did_you_mean(name, known)} Known: {', '.join(known)}."
            )
        return None
    candidate = space.candidates[name]
    values = _values(table_at(entry, "params", place), candidate, place)
    try:
        return candidate.complete(values)
    except SpaceError as error:
        if _is_beside(candidate, place):
            raise place.error(f"{shown(values)} lies outside its space: {error}") from None
        _LOG.info("%s: %s: outside of %s, whose default is tried instead", place.origin, place.path, candidate.origin)
        return candidate.default()


def _fits(entry: Mapping[str, Any], place: Place, rows: int | None) -> bool:
    """Whether an entry is meant for data of so many rows."""
    limits = entry.get("rows", [0, 10**12])
    is_range = isinstance(limits, list) and len(limits) == 2 and all(type(limit) is int for limit in limits)
    if not is_range or not 0 <= limits[0] <= limits[1]:
        raise place.error(f"rows must be [least, most], whole numbers. Got {shown(limits)}. Write rows = [0, 50000].")
    return rows is None or bool(limits[0] <= rows <= limits[1])


def _values(table: Mapping[str, Any], candidate: CandidateSpace, place: Place) -> dict[str, Value]:
    """Return the values of table, whole numbers as floats where the parameter is one."""
    values: dict[str, Value] = {}
    for name, value in table.items():
        if not is_value(value):
            raise place.error(f"{shown(name)} must be a text, a number or true/false. Got {shown(value)}. Write one.")
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        values[name] = float(value) if is_whole and isinstance(candidate.params.get(name), Float) else value
    return values


def _is_beside(candidate: CandidateSpace, place: Place) -> bool:
    return Path(candidate.origin).parent == Path(place.origin).parent


def _is_new(configuration: Configuration, seen: dict[str, int], number: int, space: SearchSpace, place: Place) -> bool:
    first = seen.setdefault(configuration.key(), number)
    if first == number:
        return True
    if _is_beside(space.candidates[configuration.candidate], place):
        raise place.error(f"configurations {first} and {number} are equal: {configuration.key()}. Remove one.")
    return False
