"""One parameter of a space file: `{ float = [1e-3, 1.0], log = true, default = 0.1 }`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from automl.core.space import Choice, Condition, Float, Int, Parameter, Value, describe
from automl.spaces.place import Place, check_keys, did_you_mean, flag, is_value, number, shown, whole

_SHARED = ("default", "when")
_ON_GRID = 1e-6  # share of a step that counts as rounding


def read_parameter(entry: object, when: Condition, place: Place) -> Parameter:
    """Return the parameter that entry describes.

    Raises:
        SpaceError: entry breaks a rule.
    """
    if not isinstance(entry, dict):
        example = "{ float = [0.1, 1.0], default = 0.5 }"
        raise place.error(f"must be a table. Got {shown(entry)}. Write for example {example}.")
    kind = _kind(entry, place)
    return _READERS[kind](entry, when, place)


def _kind(entry: Mapping[str, Any], place: Place) -> str:
    kinds = [key for key in entry if key in _READERS]
    if len(kinds) > 1:
        raise place.error(f"has {len(kinds)} distributions. Got {' and '.join(kinds)}. Keep one.")
    if kinds:
        return kinds[0]
    others = [key for key in entry if key not in ("log", "step", *_SHARED)]
    got, hint = (shown(others[0]), did_you_mean(others[0], _READERS)) if others else ("none", "")
    raise place.error(f"needs one kind of distribution. Got {got}.{hint} Known: {', '.join(_READERS)}.")


def _float(entry: Mapping[str, Any], when: Condition, place: Place) -> Float:
    check_keys(entry, ("float", "log", "step", *_SHARED), place)
    low, high = (number(bound, place) for bound in _bounds(entry["float"], "float", place))
    log, step = flag(entry, "log", place), number(entry["step"], place.at("step")) if "step" in entry else None
    _check_range(low, high, log=log, step=step, kind="float", place=place)
    param = Float(low, high, default=number(_default(entry, place), place.at("default")), log=log, step=step, when=when)
    _check_default(param, place)
    return param


def _int(entry: Mapping[str, Any], when: Condition, place: Place) -> Int:
    check_keys(entry, ("int", "log", "step", *_SHARED), place)
    low, high = (whole(bound, place) for bound in _bounds(entry["int"], "int", place))
    log, step = flag(entry, "log", place), whole(entry["step"], place.at("step")) if "step" in entry else None
    _check_range(low, high, log=log, step=step, kind="int", place=place)
    default = whole(_default(entry, place), place.at("default"))
    param = Int(low, high, default=default, log=log, step=1 if step is None else step, when=when)
    _check_default(param, place)
    return param


def _choice(entry: Mapping[str, Any], when: Condition, place: Place) -> Choice:
    check_keys(entry, ("choice", *_SHARED), place)
    choices = entry["choice"]
    if not isinstance(choices, list) or not choices:
        raise place.error(f'choice must list at least one value. Got {shown(choices)}. Write for example ["a", "b"].')
    seen: list[Value] = []
    for choice in choices:
        if not is_value(choice):
            raise place.error(f"a choice is a text, a number or true/false. Got {shown(choice)}. Write one of these.")
        if choice in seen:  # == on purpose: 1, 1.0 and true cannot be told apart in a condition
            raise place.error(f"choice lists {shown(choice)} twice in {shown(choices)}. Remove one.")
        seen.append(choice)
    param = Choice(tuple(seen), default=_default(entry, place), when=when)
    _check_default(param, place)
    return param


def _bounds(bounds: object, kind: str, place: Place) -> list[object]:
    if not isinstance(bounds, list) or len(bounds) != 2:
        raise place.error(f"{kind} needs two numbers, [low, high]. Got {shown(bounds)}. Write for example [1, 10].")
    return bounds


def _check_range(low: float, high: float, *, log: bool, step: float | None, kind: str, place: Place) -> None:
    got = shown([low, high])
    if low > high:
        raise place.error(f"{kind} needs low < high. Got {got}. Swap the two numbers.")
    if low == high:
        fixed = f"{{ choice = [{low!r}], default = {low!r} }}"
        raise place.error(f"{kind} needs low < high. Got {got}. To fix a value write {fixed}.")
    if log and step is not None:
        raise place.error(f"log and step exclude each other. Got log = true, step = {step!r}. Remove one.")
    if log and low <= 0:
        raise place.error(f"log needs low above 0. Got {got}. Raise low, or remove log.")
    if step is not None:
        _check_step(low, high, step, place)


def _check_step(low: float, high: float, step: float, place: Place) -> None:
    if not 0 < step <= high - low:
        raise place.at("step").error(f"must lie in (0, high - low]. Got {step!r}. Write at most {high - low!r}.")
    if not _is_on_grid(high, low, step):
        last = low + step * int((high - low) / step)
        raise place.at("step").error(
            f"high must be low plus a multiple of step. Got {shown([low, high])} in steps of {step!r}. "
            f"Write {last!r} for high."
        )


def _is_on_grid(value: float, low: float, step: float) -> bool:
    count = (value - low) / step
    return abs(count - round(count)) <= _ON_GRID


def _default(entry: Mapping[str, Any], place: Place) -> Any:
    if "default" not in entry:
        raise place.error(f"default is missing in {shown(entry)}. Add default = the value of a first try.")
    return entry["default"]


def _check_default(param: Parameter, place: Place) -> None:
    at = place.at("default")
    if not is_value(param.default) or not param.accepts(param.default):
        raise at.error(f"must lie in {describe(param)}. Got {shown(param.default)}. Change the default or the range.")
    step = None if isinstance(param, Choice) else param.step
    if not isinstance(param, Choice) and step is not None and not _is_on_grid(param.default, param.low, step):
        raise at.error(f"must be {param.low!r} plus a multiple of {step!r}. Got {param.default!r}. Move it there.")


_READERS: dict[str, Callable[[Mapping[str, Any], Condition, Place], Parameter]] = {
    "float": _float,
    "int": _int,
    "choice": _choice,
}
