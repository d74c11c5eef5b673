"""Kinds of input: what turns a user's file or object into rows, and rows into what a member reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from .errors import ModelError
from .manifest import Manifest, MemberEntry
from .rows import Rows, RowSet

KINDS = {"image": "image_input", "table": "table_input", "series": "series_input"}
"""Kind in a manifest → module with `make(manifest) -> Input`; imported when it is needed, as one needs Pillow."""


class Features(NamedTuple):
    """How the input of a member is computed.

    Attributes:
        key: equal keys mean equal numbers, so that members share them.
        compute: rows → what the member reads, the rows in front.
        width: numbers per row; None where the graph says what it takes.
    """

    key: str
    compute: Callable[[Any], np.ndarray]
    width: int | None


class Input(Protocol):
    """One kind of input, by the rule that a manifest holds.

    Attributes:
        rule: how what a user has becomes rows.
    """

    rule: Any

    def read(self, source: Path) -> Rows:
        """Read a file or folder as rows.

        Raises:
            InputError: it cannot be read as such.
        """
        ...

    def rows(self, X: Any, name: str) -> RowSet:
        """Return an object in memory as rows; name is for messages.

        Raises:
            InputError: it is not like the training data.
        """
        ...

    def check(self, X: RowSet) -> None:
        """Refuse what are no rows of this kind.

        Raises:
            InputError: says what is wrong.
        """
        ...

    def batches(self, X: Any) -> Iterator[slice | np.ndarray]:
        """Yield which rows are computed together; every row is in one batch."""
        ...

    def features(self, entry: MemberEntry) -> Features:
        """Return how a member's input is computed.

        Raises:
            ModelError: the manifest's entry, or a file it names, is malformed.
        """
        ...

    def made_up(self, count: int, rng: np.random.Generator) -> RowSet:
        """Return so many random rows, to compare two ways of computing the same model."""
        ...


def input_of(manifest: Manifest) -> Input:
    """Return the kind of input that a manifest asks for.

    Raises:
        ModelError: its kind is unknown here, or its rule malformed.
    """
    kind = manifest.input.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ModelError(
            f"{manifest.folder}: input kinds known here: {', '.join(KINDS)}. Got {repr(kind)[:80]}. Update."
        )
    made: Input = import_module(f".{KINDS[kind]}", __package__).make(manifest)
    return made
