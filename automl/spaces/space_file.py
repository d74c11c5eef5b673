"""The space of one candidate from its TOML text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from automl.core.fidelity import ONE_GO, StepRange
from automl.core.space import CandidateSpace, Condition, Parameter, Value, describe
from automl.spaces.distributions import read_parameter
from automl.spaces.place import Place, check_keys, did_you_mean, is_value, parse, shown, table_at, text_at, whole

_KEYS = ("candidate", "source", "params", "fidelity")
_UNITS = ("epochs", "rounds")
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]*")
_PARAM = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def read_space(text: str, origin: str) -> CandidateSpace:
    r"""Return the space that a TOML text describes.

    Args:
        text: the content of a space file.
        origin: the file it came from; named in errors.

    Raises:
        SpaceError: the text breaks a rule; one line naming file, path, rule, value and what to do.

    >>> space = read_space('candidate = "baseline"\nsource = "none"\n', "baseline.toml")
    >>> space.default()
    Configuration(candidate='baseline', values={})
    """
    place = Place(origin)
    table = parse(text, origin)
    check_keys(table, _KEYS, place)
    return CandidateSpace(
        candidate=_candidate(table, place),
        source=text_at(table, "source", place, 'Say where the ranges come from: source = "https://…".'),
        params=_params(table_at(table, "params", place), place.at("params")),
        steps=_steps(table_at(table, "fidelity", place), place.at("fidelity")),
        origin=origin,
    )


def _candidate(table: Mapping[str, Any], place: Place) -> str:
    name = text_at(table, "candidate", place, 'Say whose space this is: candidate = "resnet".')
    if not _NAME.fullmatch(name):
        raise place.at("candidate").error(
            f"a name has letters, digits, - and _ only and begins with a letter. Got {shown(name)}. Rename it."
        )
    return name


def _params(table: Mapping[str, Any], place: Place) -> dict[str, Parameter]:
    for name in table:
        if not _PARAM.fullmatch(name):
            raise place.error(f"a parameter has letters, digits and _ only. Got {shown(name)}. Rename it.")
    params: dict[str, Parameter] = {}
    for name, entry in table.items():
        at = place.at(name)
        params[name] = read_parameter(entry, _when(name, table, params, at), at)
    return params


def _when(name: str, table: Mapping[str, Any], before: Mapping[str, Parameter], place: Place) -> Condition:
    """Return the condition of parameter name; only parameters that stand before it may be named."""
    entry = table[name]
    conditions = table_at(entry, "when", place) if isinstance(entry, dict) else {}
    for parent in conditions:
        _check_parent(name, parent, table, place.at("when"))
    return {parent: _allowed(wanted, before[parent], place.at("when").at(parent))
            for parent, wanted in conditions.items()}  # fmt: skip


def _check_parent(name: str, parent: str, table: Mapping[str, Any], place: Place) -> None:
    names = list(table)
    if parent not in table:
        known = ", ".join(n for n in names if n != name) or "none"
        raise place.error(f"{shown(parent)} is not a parameter.{did_you_mean(parent, names)} Known: {known}.")
    if _depends_on(parent, name, table):
        raise place.error(f"{name} and {shown(parent)} depend on each other. Remove one of the conditions.")
    if names.index(parent) > names.index(name):
        raise place.error(f"{shown(parent)} stands after {name}. Move {parent} above {name}.")


def _depends_on(name: str, other: str, table: Mapping[str, Any]) -> bool:
    """Whether name is other or depends on it, directly or not."""
    seen: set[str] = set()
    queue = [name]
    while queue:
        current = queue.pop()
        if current == other:
            return True
        entry = table.get(current)
        when = entry.get("when") if isinstance(entry, dict) else None
        if current not in seen and isinstance(when, dict):
            queue.extend(when)
        seen.add(current)
    return False


def _allowed(wanted: object, parent: Parameter, place: Place) -> tuple[Value, ...]:
    values = wanted if isinstance(wanted, list) else [wanted]
    if not values:
        raise place.error(f"lists no value. Got {shown(wanted)}. Write the values under which the parameter counts.")
    for value in values:
        if not is_value(value) or not parent.accepts(value):
            raise place.error(f"must lie in {describe(parent)}. Got {shown(value)}. Write a value it can take.")
    return tuple(values)


def _steps(table: Mapping[str, Any], place: Place) -> StepRange:
    if not table:
        return ONE_GO
    check_keys(table, _UNITS, place)
    if len(table) > 1:
        raise place.error(f"counts in one unit. Got {' and '.join(table)}. Keep one.")
    unit, limits = next(iter(table.items()))
    at = place.at(unit)
    example = f"{unit} = {{ low = 3, full = 27 }}"
    if not isinstance(limits, dict):
        raise at.error(f"must be a table with low and full. Got {shown(limits)}. Write {example}.")
    check_keys(limits, ("low", "full"), at)
    for key in ("low", "full"):
        if key not in limits:
            raise at.error(f"{key} is missing in {shown(limits)}. Write {example}.")
    low, full = whole(limits["low"], at.at("low")), whole(limits["full"], at.at("full"))
    if not 1 <= low <= full:
        raise at.error(f"needs 1 <= low <= full. Got low = {low}, full = {full}. Change one of them.")
    return StepRange(unit=unit, low=low, full=full)
