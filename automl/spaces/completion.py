"""A user's space of a candidate, completed with what the candidate's own space has beyond it.

A candidate relies on a value for each of its parameters. A user's file may list only those to be searched: the others
are held at their defaults.
"""

from __future__ import annotations

import json

from automl.core.fidelity import ONE_GO
from automl.core.space import CandidateSpace, Choice, Int, Parameter, Value
from automl.spaces.place import Place, did_you_mean, shown


def completed(space: CandidateSpace, own: CandidateSpace) -> CandidateSpace:
    """Return space with the parameters it lacks held at the defaults of own, and own's steps if it has none.

    Args:
        space: what the user wrote.
        own: the space that came with the candidate.

    Raises:
        SpaceError: space names a parameter that the candidate does not have, or counts in another unit.
    """
    place = Place(space.origin)
    for name in space.params:
        if name not in own.params:
            hint, known = did_you_mean(name, own.params), ", ".join(own.params) or "none"
            raise place.at("params").error(
                f"{shown(name)} is not a parameter of {own.candidate}.{hint} Known: {known}."
            )
    if space.steps != ONE_GO and space.steps.unit != own.steps.unit:
        raise place.at("fidelity").error(
            f"{own.candidate} counts in {own.steps.unit}. Got {space.steps.unit}. Change it, or leave [fidelity] out."
        )
    params = dict(space.params)
    for name, param in own.params.items():
        held = _held(param, params) if name not in params else None
        if held is not None:
            params[name] = held
    steps = own.steps if space.steps == ONE_GO else space.steps
    return CandidateSpace(space.candidate, space.source, params, steps, space.origin)


def _held(param: Parameter, params: dict[str, Parameter]) -> Choice | None:
    """Return param held at its default, or None if its condition can never hold among params."""
    when: dict[str, tuple[Value, ...]] = {}
    for parent, allowed in param.when.items():
        possible = tuple(v for v in allowed if parent in params and params[parent].accepts(v))
        if not possible:
            return None
        when[parent] = possible
    return Choice((param.default,), default=param.default, when=when)


def to_toml(space: CandidateSpace) -> str:
    """Return a space as the text of a space file, such that reading it gives the same space.

    >>> print(to_toml(CandidateSpace("knn", "a book", {"k": Int(1, 9, default=5)})))
    candidate = "knn"
    source = "a book"
    [params]
    k = { int = [1, 9], default = 5 }
    <BLANKLINE>
    """
    lines = [f"candidate = {_plain(space.candidate)}", f"source = {_plain(space.source)}", "[params]"]
    lines += [f"{name} = {{ {_entry(param)} }}" for name, param in space.params.items()]
    if space.steps != ONE_GO:
        lines += ["[fidelity]", f"{space.steps.unit} = {{ low = {space.steps.low}, full = {space.steps.full} }}"]
    return "\n".join(lines) + "\n"


def _entry(param: Parameter) -> str:
    parts = [_range(param), f"default = {_plain(param.default)}"]
    if not isinstance(param, Choice):
        parts += ["log = true"] if param.log else []
        parts += [f"step = {_plain(param.step)}"] if param.step not in (None, 1) and not param.log else []
    if param.when:
        conditions = (f"{parent} = [{', '.join(map(_plain, allowed))}]" for parent, allowed in param.when.items())
        parts.append(f"when = {{ {', '.join(conditions)} }}")
    return ", ".join(parts)


def _range(param: Parameter) -> str:
    if isinstance(param, Choice):
        return f"choice = [{', '.join(map(_plain, param.choices))}]"
    return f"{'int' if isinstance(param, Int) else 'float'} = [{_plain(param.low)}, {_plain(param.high)}]"


def _plain(value: Value) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=True)  # a TOML basic string has the escapes of JSON
    return repr(value).lower() if isinstance(value, bool) else repr(value)
