"""A word of a configuration that must be one of a few: a misspelt one is refused, not read as the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from automl.core.space import Value
from automl.errors import SpaceError


def chosen(values: Mapping[str, Value], name: str, known: Sequence[str]) -> str:
    """Return a value of a configuration that is one of the known words, the first of them where it has none.

    Raises:
        SpaceError: it is something else.

    >>> chosen({"marks": "kept"}, "marks", ("dropped", "kept")), chosen({}, "marks", ("dropped", "kept"))
    ('kept', 'dropped')
    """
    value = values.get(name, known[0])
    if not isinstance(value, str) or value not in known:
        raise SpaceError(f"{name}: must be one of {', '.join(known)}. Got {value!r:.80}. Mend the search space.")
    return value
