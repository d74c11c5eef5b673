"""Search spaces as values: parameters, conditions, and the union over candidates."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from automl.core.fidelity import ONE_GO, StepRange
from automl.errors import SpaceError

Value = float | int | str | bool
Condition = Mapping[str, tuple[Value, ...]]


@dataclass(frozen=True)
class Float:
    """A real parameter in [low, high], uniform or log-uniform, on a grid where step is given."""

    low: float
    high: float
    default: float
    log: bool = False
    step: float | None = None
    when: Condition = field(default_factory=dict)

    def sample(self, rng: np.random.Generator) -> float:
        """Draw one value."""
        if self.log:
            return float(min(self.high, max(self.low, math.exp(rng.uniform(math.log(self.low), math.log(self.high))))))
        if self.step is not None:
            count = math.floor((self.high - self.low) / self.step + 1e-9)
            return float(min(self.high, self.low + self.step * int(rng.integers(count + 1))))
        return float(rng.uniform(self.low, self.high))

    def accepts(self, value: Value) -> bool:
        """Whether value lies in the range."""
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high


@dataclass(frozen=True)
class Int:
    """A whole parameter in [low, high], uniform or log-uniform, every step-th where step is above 1."""

    low: int
    high: int
    default: int
    log: bool = False
    step: int = 1
    when: Condition = field(default_factory=dict)

    def sample(self, rng: np.random.Generator) -> int:
        """Draw one value."""
        if self.log:
            drawn = math.exp(rng.uniform(math.log(self.low - 0.5), math.log(self.high + 0.5)))
            return int(min(self.high, max(self.low, round(drawn))))
        return int(self.low + self.step * int(rng.integers((self.high - self.low) // self.step + 1)))

    def accepts(self, value: Value) -> bool:
        """Whether value is a whole number of the range."""
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high


@dataclass(frozen=True)
class Choice:
    """One of several values without order."""

    choices: tuple[Value, ...]
    default: Value
    when: Condition = field(default_factory=dict)

    def sample(self, rng: np.random.Generator) -> Value:
        """Draw one value."""
        return self.choices[int(rng.integers(len(self.choices)))]

    def accepts(self, value: Value) -> bool:
        """Whether value is one of the choices, of the same type."""
        return any(type(value) is type(choice) and value == choice for choice in self.choices)


Parameter = Float | Int | Choice


@dataclass(frozen=True)
class Configuration:
    """A candidate with a value for each of its active parameters."""

    candidate: str
    values: Mapping[str, Value]

    def key(self) -> str:
        """Return a text that is equal for equal configurations.

        >>> Configuration("cnn", {"b": 1, "a": 2.0}).key()
        '["cnn",{"a":2.0,"b":1}]'
        """
        return json.dumps([self.candidate, dict(self.values)], sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class CandidateSpace:
    """The parameters of one candidate.

    Attributes:
        candidate: whose space this is.
        source: where the ranges come from.
        params: name → parameter; a parameter named in a `when` stands before the one that names it.
        steps: the range of epochs or rounds.
        origin: the file this was read from.
    """

    candidate: str
    source: str
    params: Mapping[str, Parameter]
    steps: StepRange = ONE_GO
    origin: str = ""

    def is_active(self, name: str, values: Mapping[str, Value]) -> bool:
        """Whether parameter name counts, given the values before it."""
        return all(p in values and values[p] in allowed for p, allowed in self.params[name].when.items())

    def default(self) -> Configuration:
        """Return the configuration of all defaults."""
        return self.complete({})

    def complete(self, given: Mapping[str, Value]) -> Configuration:
        """Return given with defaults for what is missing and active.

        Raises:
            SpaceError: an unknown name, or a value outside its range.
        """
        values: dict[str, Value] = {}
        for name, param in self.params.items():
            if self.is_active(name, values):
                values[name] = given.get(name, param.default)
        return self.check(Configuration(self.candidate, {**values, **given}))

    def sample(self, rng: np.random.Generator) -> Configuration:
        """Draw one configuration; only active parameters consume randomness."""
        values: dict[str, Value] = {}
        for name, param in self.params.items():
            if self.is_active(name, values):
                values[name] = param.sample(rng)
        return Configuration(self.candidate, values)

    def check(self, configuration: Configuration) -> Configuration:
        """Return configuration if it lies in this space.

        Raises:
            SpaceError: an unknown, missing or inactive parameter, or a value outside its range.
        """
        where = self.origin or self.candidate
        for name, value in configuration.values.items():
            if name not in self.params:
                known = ", ".join(self.params) or "none"
                raise SpaceError(f"{where}: {name!r} is not a parameter of {self.candidate}. Known: {known}.")
            if not self.is_active(name, configuration.values):
                raise SpaceError(
                    f"{where}: {name} counts only when {dict(self.params[name].when)}. Got {value!r}. Leave it out."
                )
            if not self.params[name].accepts(value):
                raise SpaceError(f"{where}: {name} must lie in {describe(self.params[name])}. Got {value!r}.")
        missing = [n for n in self.params if n not in configuration.values and self.is_active(n, configuration.values)]
        if missing:
            raise SpaceError(f"{where}: {missing[0]} has no value. Give one in {describe(self.params[missing[0]])}.")
        return configuration


@dataclass(frozen=True)
class SearchSpace:
    """The union over candidates: first which candidate, then its own parameters (CASH).

    Source: Thornton et al. 2013, Auto-WEKA, https://arxiv.org/abs/1208.3719, section 3.
    """

    candidates: Mapping[str, CandidateSpace]

    def sample(self, rng: np.random.Generator) -> Configuration:
        """Draw a candidate, then a configuration of it."""
        names = list(self.candidates)
        return self.candidates[names[int(rng.integers(len(names)))]].sample(rng)

    def check(self, configuration: Configuration) -> Configuration:
        """Return configuration if it lies in this space.

        Raises:
            SpaceError: an unknown candidate, or as `CandidateSpace.check`.
        """
        if configuration.candidate not in self.candidates:
            raise SpaceError(f"{configuration.candidate!r} is not in this space. Known: {', '.join(self.candidates)}.")
        return self.candidates[configuration.candidate].check(configuration)

    def sha256(self) -> str:
        """Return a hash of everything that shapes the search: names, ranges, defaults, conditions, steps."""
        text = json.dumps({n: _plain(s) for n, s in self.candidates.items()}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def describe(param: Parameter) -> str:
    """Return a range in words.

    >>> describe(Float(0.1, 1.0, default=0.5, log=True))
    '[0.1, 1.0] (log)'
    """
    if isinstance(param, Choice):
        return "{" + ", ".join(map(repr, param.choices)) + "}"
    step = f" in steps of {param.step}" if param.step not in (None, 1) else ""
    return f"[{param.low}, {param.high}]{' (log)' if param.log else ''}{step}"


def _plain(space: CandidateSpace) -> list[object]:
    params = [[n, type(p).__name__, describe(p), p.default, sorted((k, list(v)) for k, v in p.when.items())]
              for n, p in space.params.items()]  # fmt: skip
    return [params, [space.steps.unit, space.steps.low, space.steps.full]]
