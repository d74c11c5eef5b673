"""A tree-structured Parzen estimator over the trials of one candidate.

Imports Optuna: to be imported by whom it is about to be used.

Source: Bergstra et al. 2011, https://papers.nips.cc/paper/4443; the multivariate form: Falkner et al. 2018, BOHB,
https://arxiv.org/abs/1807.01774, section 3; both as in Optuna's TPESampler.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from automl.core.space import CandidateSpace, Choice, Configuration, Float, Int, Parameter, Value
from automl.searchers.evidence import Evidence

_STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "running": TrialState.RUNNING,
           "failed": TrialState.FAIL}  # fmt: skip


class _Given(optuna.storages.InMemoryStorage):  # type: ignore[misc]
    """A storage whose trials are those it was given; the one that is being asked for is kept apart."""

    def __init__(self, trials: Sequence[FrozenTrial]) -> None:
        super().__init__()
        self._given = list(trials)

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """Return the given trials in these states; never a copy, since nothing here changes one."""
        del study_id, deepcopy
        return self._given if states is None else [t for t in self._given if t.state in states]


class CandidateModel:
    """Proposes configurations of one candidate that resemble its good trials and not its bad ones.

    Trials that run without a score yet count as bad, so that several workers do not try the same.

    Args:
        space: the candidate's parameters.
        told: what its trials say, in order of number.
        seed: of all draws, below 2^32.
    """

    def __init__(self, space: CandidateSpace, told: Sequence[Evidence], *, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space = space
        self._distributions = {name: distribution(param) for name, param in space.params.items()}
        self._recoded = [name for name, param in space.params.items() if _is_list(param)]
        self._active: dict[tuple[str, ...], dict[str, BaseDistribution]] = {}
        self._sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=0, multivariate=True)
        storage = _Given([self._frozen(e) for e in told])
        self._study = optuna.create_study(storage=storage, sampler=self._sampler, direction="minimize")
        asked = storage.get_trial(storage.create_new_trial(self._study._study_id))
        asked.number = -1  # not that of any given trial
        self._asked = asked

    def propose(self) -> Configuration:
        """Return a configuration; parameters that become active together are drawn together."""
        values: dict[str, Value] = {}
        while group := self._next_group(values):
            drawn = self._sampler.sample_relative(self._study, self._asked, group)
            values |= {name: plain(drawn[name], self._space.params[name]) for name in group}
        ordered = {name: values[name] for name in self._space.params if name in values}
        return Configuration(self._space.candidate, ordered)

    def _next_group(self, values: Mapping[str, Value]) -> dict[str, BaseDistribution]:
        """Return the parameters that are active, have no value yet and whose conditions are all decided."""
        return {
            name: self._distributions[name]
            for name in self._space.params
            if name not in values and self._space.is_active(name, values)
        }

    def _frozen(self, told: Evidence) -> FrozenTrial:
        params = dict(told.configuration.values)
        for name in self._recoded:
            if name in params:
                params[name] = coded(params[name], self._space.params[name])
        return FrozenTrial(
            number=told.number,
            state=_STATES[told.kind],
            value=told.loss if told.kind == "complete" else None,
            datetime_start=None,
            datetime_complete=None,
            params=params,
            distributions=self._distributions_of(tuple(params)),
            user_attrs={},
            system_attrs={},
            intermediate_values={told.rung: told.loss} if told.kind == "pruned" else {},
            trial_id=told.number,
        )

    def _distributions_of(self, names: tuple[str, ...]) -> dict[str, BaseDistribution]:
        """Return the distributions of the named parameters, the same object for the same names."""
        if names not in self._active:
            self._active[names] = {name: self._distributions[name] for name in names}
        return self._active[names]


def distribution(param: Parameter) -> BaseDistribution:
    """Return Optuna's form of a parameter; a choice, and a float on a grid, become their place in the list."""
    if isinstance(param, Choice):
        return CategoricalDistribution(range(len(param.choices)))
    if isinstance(param, Int):
        high = param.high - (param.high - param.low) % param.step
        return IntDistribution(param.low, high, log=param.log, step=param.step)
    if param.step is None:
        return FloatDistribution(param.low, param.high, log=param.log)
    return IntDistribution(0, int((param.high - param.low) / param.step + 1e-9))


def coded(value: Value, param: Parameter) -> Value:
    """Return a value in Optuna's form."""
    if isinstance(param, Choice):
        return next(i for i, c in enumerate(param.choices) if c == value and type(c) is type(value))  # 1 is no True
    if isinstance(param, Float) and param.step is not None:
        return round((float(value) - param.low) / param.step)
    return value


def plain(value: float, param: Parameter) -> Value:
    """Return a value in ours, inside the range in spite of rounding."""
    if isinstance(param, Choice):
        return param.choices[int(value)]
    if isinstance(param, Int):
        return min(param.high, max(param.low, int(value)))
    exact = float(value) if param.step is None else param.low + param.step * int(value)
    return min(param.high, max(param.low, exact))


def _is_list(param: Parameter) -> bool:
    return isinstance(param, Choice) or (isinstance(param, Float) and param.step is not None)
