"""Gradient-boosted trees (LightGBM) on gradient histograms or averaged pixels.

Claim: accuracy 0.987 on digits, 0.920 on sign_digits (5-fold), 0.908 on fashion_mnist (20,000 rows, 3 of 5 folds),
defaults with 120 rounds; 0.9, 2.2 and 11.6 CPU-s a fold on one core. On averaged pixels 0.970, 0.816, 0.878.
Source: Ke et al. 2017, https://papers.nips.cc/paper/6907; parameters: https://lightgbm.readthedocs.io/en/stable/Parameters.html.

Rounds are the fidelity, and nothing stops early by itself. Training 3, then 9, then 27 rounds gives the very model of
27 at once: the columns of a round are drawn from a seed of that round. Rows are not sampled, because LightGBM's bagging
cannot be continued that way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from automl.candidates.graphs.conditions import classes_present
from automl.candidates.image.features import cached, chosen, seconds
from automl.candidates.image.graph_model import GraphModel
from automl.core.clock import MonotonicClock
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.seeds import derive
from automl.core.space import Configuration
from automl.serving.image_features import columns, compute

_SEARCHED = ("learning_rate", "num_leaves", "feature_fraction", "min_data_in_leaf", "lambda_l2")
_MAX_BIN = 63  # "Use Small max_bin", https://lightgbm.readthedocs.io/en/stable/Parameters-Tuning.html
_REPORT_EVERY = 5  # rounds
_EXPORT_SECONDS = 0.3  # kept back from the deadline to write the graph
_MODEL, _STATE = "checkpoint.txt", "checkpoint.json"

# CPU-seconds of one tree on one common core: in all, per row, per value in the columns of a round, per bin of a leaf;
# and once per value to sort it into bins. Fitted on fashion_mnist, sign_digits and digits.
_PER_TREE, _PER_ROW, _PER_USED_VALUE, _PER_LEAF_BIN, _PER_BINNED_VALUE = 2e-4, 7e-8, 6e-9, 1.5e-8, 1.3e-7
_PROBE_ROWS, _PROBE_ROUNDS = 2000, 3

Watch = Callable[[Any, int], bool]
"""Sees the booster and the rounds done after each round; True ends training."""


class Rounds(NamedTuple):
    """The rounds of one job, and the seed of their member."""

    start: int
    stop: int
    seed: int


class GradientBoosting:
    """Implements `automl.core.protocols.Candidate`."""

    name = "gbdt"
    tasks = ("image-clf",)
    requires = ("lightgbm", "onnx", "onnxruntime")
    is_probed = True

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return the cost of one fold, the features of the whole data set included."""
        features = chosen(spec.shape, configuration.values)
        wide = columns(features, spec.shape)
        return Cost(
            fixed_seconds=0.1 + seconds(spec, features) + rows * wide * _PER_BINNED_VALUE,
            step_seconds=_round_seconds(configuration, rows=rows, wide=wide, classes=len(spec.classes)),
            peak_bytes=8 * rows * wide + 16 * rows * len(spec.classes) + (64 << 20),
        )

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate times what a few rounds on a few rows take here, relative to their own estimate."""
        estimate = self.estimate(data.spec, configuration, len(ctx.train_rows))
        rows = np.asarray(ctx.train_rows[:_PROBE_ROWS])
        codes = np.unique(data.y[rows], return_inverse=True)[1]
        classes = int(codes.max()) + 1
        if classes == 1:
            return estimate
        inputs = compute(chosen(data.spec.shape, configuration.values), data.X[rows])
        clock, rounds = MonotonicClock(), Rounds(0, _PROBE_ROUNDS, ctx.seed)
        _boost(configuration, inputs, codes, rounds)  # the first time imports LightGBM and warms caches
        start = clock.now()
        _boost(configuration, inputs, codes, rounds)
        measured = clock.now() - start
        a_round = _round_seconds(configuration, rows=len(rows), wide=inputs.shape[1], classes=classes)
        ratio = measured / (inputs.size * _PER_BINNED_VALUE + _PROBE_ROUNDS * a_round)
        return Cost(estimate.fixed_seconds * ratio, estimate.step_seconds * ratio, estimate.peak_bytes)

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> GraphModel:
        """Add the rounds from job.start_steps to job.stop_steps, or as many of them as there is time for."""
        from automl.candidates.graphs.lightgbm_trees import trees_of
        from automl.candidates.graphs.onnx_graphs import tree_softmax

        features = chosen(data.spec.shape, configuration.values)
        inputs = cached(features, data, ctx.cache)
        codes, table = np.asarray(data.y[ctx.train_rows]), inputs[ctx.train_rows]
        present = classes_present(codes, ctx.classes)
        if not _can_split(codes, table):
            return GraphModel(_prior(codes, present, table.shape[1]), features, job.stop_steps, job.stop_steps)
        rounds = Rounds(job.start_steps, job.stop_steps, ctx.seed)
        watch = _Progress(inputs[ctx.valid_rows], np.asarray(data.y[ctx.valid_rows]), present, rounds, ctx)
        dense = np.searchsorted(np.flatnonzero(present), codes)
        booster = _boost(configuration, table, dense, rounds, watch=watch, before=ctx.checkpoint)
        text = str(booster.model_to_string(num_iteration=-1))
        graph = tree_softmax(trees_of(text, np.flatnonzero(present)), table.shape[1], present)
        return GraphModel(
            graph, features, watch.done, watch.done, {_MODEL: text, _STATE: json.dumps({"rounds": watch.done})}
        )


def _can_split(codes: np.ndarray, table: np.ndarray) -> bool:
    """Whether there are two classes and a column that varies; LightGBM refuses anything else."""
    return bool((codes != codes[0]).any() and (table != table[0]).any())


def _prior(codes: np.ndarray, present: np.ndarray, wide: int) -> bytes:
    from automl.candidates.graphs.onnx_graphs import linear_softmax

    counts = np.bincount(codes, minlength=len(present))[present]
    return linear_softmax(np.zeros((wide, len(counts))), np.log(counts / counts.sum()), present)


def _round_seconds(configuration: Configuration, *, rows: int, wide: int, classes: int) -> float:
    values = configuration.values
    used = max(1.0, wide * float(values["feature_fraction"]))
    tree = _PER_TREE + rows * (_PER_ROW + used * _PER_USED_VALUE)
    tree += int(values["num_leaves"]) * used * _MAX_BIN * _PER_LEAF_BIN
    return tree * (1 if classes == 2 else classes)


def _boost(
    configuration: Configuration,
    inputs: np.ndarray,
    codes: np.ndarray,
    rounds: Rounds,
    *,
    watch: Watch | None = None,
    before: Path | None = None,
) -> Any:
    """Return a booster with rounds.stop rounds, or fewer where watch ended it.

    Args:
        configuration: the parameters.
        inputs: (rows, columns) float32.
        codes: (rows,) 0, 1, … without gaps, at least two of them.
        rounds: from where to where.
        watch: asked after each round.
        before: the folder with the checkpoint of rounds.start rounds, if that is above 0.

    Raises:
        ValueError: rounds.start is above 0 and there is no checkpoint.
    """
    import lightgbm

    if rounds.start and before is None:
        raise ValueError(f"gbdt: round {rounds.start} is continued from a checkpoint. Got none. Start at round 0.")
    table = lightgbm.Dataset(inputs, codes, free_raw_data=False)
    old = lightgbm.Booster(model_file=str(before / _MODEL)) if before and rounds.start else None
    return lightgbm.train(
        _parameters(configuration, int(codes.max()) + 1),
        table,
        num_boost_round=rounds.stop - rounds.start,
        init_model=old,
        callbacks=[_reseed(rounds), *([_after(watch, rounds.start)] if watch else [])],
    )


def _parameters(configuration: Configuration, classes: int) -> dict[str, Any]:
    target = {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": classes}
    fixed = {
        "max_bin": _MAX_BIN,
        "num_threads": 1,
        "deterministic": True,
        "force_col_wise": True,  # 3x faster than row-wise where a tenth of the columns is drawn
        "feature_pre_filter": False,  # a filter by min_data_in_leaf can leave no column at all, which is an error
        "feature_fraction_seed": 0,
        "verbose": -1,
    }
    return {**target, **fixed, **{name: configuration.values[name] for name in _SEARCHED}}


def _reseed(rounds: Rounds) -> Callable[[Any], None]:
    """Return a callback that gives each round its own stream; LightGBM starts anew when the seed changes."""

    def _before_round(env: Any) -> None:
        # 1 and up: 0 is the seed the booster is made with, and an equal seed would not start anew
        number = rounds.start + env.iteration - env.begin_iteration
        env.model.reset_parameter({"feature_fraction_seed": 1 + derive(rounds.seed, "round", number) % (2**31 - 2)})

    _before_round.before_iteration = True  # type: ignore[attr-defined]
    return _before_round


def _after(watch: Watch, start: int) -> Callable[[Any], None]:
    """Return a callback that ends training where watch says so.

    Rounds are counted here: LightGBM's own count leaves out rounds in which no tree found a split.
    """
    from lightgbm.callback import EarlyStopException

    def _after_round(env: Any) -> None:
        if watch(env.model, start + env.iteration - env.begin_iteration + 1):
            raise EarlyStopException(env.iteration, [])

    return _after_round


class _Progress:
    """Reports the score on the validation rows every few rounds and at the end, and sees when time is nearly over.

    Attributes:
        done: rounds seen.
    """

    def __init__(self, inputs: np.ndarray, y: np.ndarray, present: np.ndarray, rounds: Rounds, ctx: Context) -> None:
        self._inputs, self._y, self._present, self._stop, self._ctx = inputs, y, present, rounds.stop, ctx
        self._sums: np.ndarray | float = 0.0
        self._trees_scored = 0
        self._left = ctx.seconds_left()
        self.done = 0

    def __call__(self, booster: Any, done: int) -> bool:
        self.done = done
        is_late = self._is_late()
        if is_late:
            self._ctx.note("rounds", f"{done}: the time ended")
        if done % _REPORT_EVERY and done != self._stop and not is_late:
            return False
        return self._ctx.report(done, self._score(booster)) or is_late

    def _is_late(self) -> bool:
        """Whether another round like the last one and the export would not fit."""
        last, self._left = self._left, self._ctx.seconds_left()
        return self._ctx.is_timed and self._left < 2 * (last - self._left) + _EXPORT_SECONDS

    def _score(self, booster: Any) -> float | None:
        if not len(self._y):
            return None
        first, self._trees_scored = self._trees_scored, int(booster.current_iteration())
        if self._trees_scored > first or first == 0:
            count = self._trees_scored - first
            self._sums += booster.predict(self._inputs, start_iteration=first, num_iteration=count, raw_score=True)
        return self._ctx.metric.score(self._y, _probabilities(np.asarray(self._sums), self._present))


def _probabilities(sums: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Return (rows, classes) probabilities from LightGBM's raw scores: (rows,) log-odds, or (rows, classes present)."""
    scores = np.stack([np.zeros_like(sums), sums], axis=1) if sums.ndim == 1 else sums
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities = np.zeros((len(sums), len(present)))
    probabilities[:, present] = odds / odds.sum(axis=1, keepdims=True)
    return probabilities


CANDIDATE = GradientBoosting()
