"""The settings of bodies that texts and series share, read from a configuration; no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

from automl.core.space import Value

Cell = Literal["lstm", "gru"]
Pooling = Literal["attention", "mean", "max"]
RecurrentPooling = Pooling | Literal["last"]
Positions = Literal["learned", "sinusoidal"]


@dataclass(frozen=True)
class RecurrentSettings:
    """A recurrent body.

    Attributes:
        cell: of a step.
        units: of a state, in each direction.
        layers: one above the other.
        directions: 1: from the first step to the last; 2: the other way too.
        pooling: how steps become features; last: the state after a direction's last step.
        dropout: share of units that are dropped between layers, the same ones at all steps of a row.
        input_dropout: the same before the first layer.
    """

    cell: Cell
    units: int
    layers: int
    directions: int
    pooling: RecurrentPooling
    dropout: float
    input_dropout: float = 0.0

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> RecurrentSettings:
        """Return the settings of a configuration, which may lack input_dropout.

        Raises:
            ValueError: a value is none of those known, or below 1.
        """
        return cls(
            cell=cast(Cell, _one_of("cell", values["cell"], get_args(Cell))),
            units=_count("units", values["units"]),
            layers=_count("layers", values["layers"]),
            directions=int(_one_of("directions", values["directions"], (1, 2))),
            pooling=cast(RecurrentPooling, _one_of("pooling", values["pooling"], (*get_args(Pooling), "last"))),
            dropout=_share("dropout", values["dropout"]),
            input_dropout=_share("input_dropout", values.get("input_dropout", 0.0)),
        )

    @property
    def features(self) -> int:
        """How many numbers a step has behind each layer, and a row behind pooling."""
        return self.units * self.directions


@dataclass(frozen=True)
class TransformerSettings:
    """A Transformer.

    Attributes:
        units: of a step, inside.
        layers: one above the other.
        heads: of attention; they share the units.
        expansion: units of the layer between, over `units`.
        positions: learned one by one, or waves that never change.
        pooling: how steps become features.
        dropout: share of units that are dropped behind positions, attention, and the layers between.
    """

    units: int
    layers: int
    heads: int
    expansion: int
    positions: Positions
    pooling: Pooling
    dropout: float

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> TransformerSettings:
        """Return the settings of a configuration.

        Raises:
            ValueError: a value is none of those known, below 1, or the heads cannot share the units.
        """
        units, heads = _count("units", values["units"]), _count("heads", values["heads"])
        if units % heads:
            raise ValueError(f"heads: they share the units evenly. Got {units} units, {heads} heads. Take a divisor")
        return cls(
            units=units,
            layers=_count("layers", values["layers"]),
            heads=heads,
            expansion=_count("expansion", values["expansion"]),
            positions=cast(Positions, _one_of("positions", values["positions"], get_args(Positions))),
            pooling=cast(Pooling, _one_of("pooling", values["pooling"], get_args(Pooling))),
            dropout=_share("dropout", values["dropout"]),
        )


def _one_of(name: str, value: Value, known: tuple[Value, ...]) -> Value:
    if value not in known:
        raise ValueError(f"{name}: known are {', '.join(map(str, known))}. Got {value!r}. Name one of them")
    return value


def _count(name: str, value: Value) -> int:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"{name}: a whole number of at least 1. Got {value!r}. Name such a number")
    return value


def _share(name: str, value: Value) -> float:
    if not isinstance(value, int | float) or not 0 <= value < 1:
        raise ValueError(f"{name}: a share in [0, 1). Got {value!r}. Name such a number")
    return float(value)
