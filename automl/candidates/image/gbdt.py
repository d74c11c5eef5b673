"""Gradient-boosted trees (LightGBM) on gradient histograms or averaged pixels.

Claim: CLAIM-GBDT
Source: Ke et al. 2017, https://papers.nips.cc/paper/6907; parameters: https://lightgbm.readthedocs.io/en/stable/Parameters.html.

Rounds are the fidelity, and nothing stops early by itself. Training 3, then 9, then 27 rounds gives the very model of
27 at once: the columns of a round are drawn from a seed of that round. Rows are not sampled, because LightGBM's bagging
cannot be continued that way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from automl.candidates.image.features import cached, chosen, seconds
from automl.candidates.image.graph_model import GraphModel, classes_present
from automl.core.clock import MonotonicClock
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.seeds import derive
from automl.core.space import Configuration
from automl.serving.image_features import columns, compute

if TYPE_CHECKING:
    from automl.candidates.image.onnx_graphs import Trees

_SEARCHED = ("learning_rate", "num_leaves", "feature_fraction", "min_data_in_leaf", "lambda_l2")
_MAX_BIN = 63  # "Use Small max_bin", https://lightgbm.readthedocs.io/en/stable/Parameters-Tuning.html
_REPORT_EVERY = 5  # rounds
_EXPORT_SECONDS = 0.3  # kept back from the deadline to write the graph
_MODEL, _STATE = "checkpoint.txt", "checkpoint.json"

# CPU-seconds of one tree on one common core, per value in the columns of a round and per bin of a leaf; and once per
# value to sort it into bins. Fitted on fashion_mnist, sign_digits and digits.
_PER_USED_VALUE, _PER_LEAF_BIN, _PER_BINNED_VALUE = 6e-9, 2e-8, 1.3e-7
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
        clock = MonotonicClock()
        start = clock.now()
        _boost(configuration, inputs, codes, Rounds(0, _PROBE_ROUNDS, ctx.seed))
        measured = clock.now() - start
        a_round = _round_seconds(configuration, rows=len(rows), wide=inputs.shape[1], classes=classes)
        ratio = measured / (inputs.size * _PER_BINNED_VALUE + _PROBE_ROUNDS * a_round)
        return Cost(estimate.fixed_seconds * ratio, estimate.step_seconds * ratio, estimate.peak_bytes)

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> GraphModel:
        """Add the rounds from job.start_steps to job.stop_steps, or as many of them as there is time for."""
        from automl.candidates.image.onnx_graphs import linear_softmax, tree_softmax

        features = chosen(data.spec.shape, configuration.values)
        inputs = cached(features, data, ctx.cache)
        codes = np.asarray(data.y[ctx.train_rows])
        present = classes_present(codes, ctx.classes)
        if present.sum() == 1:
            graph = linear_softmax(np.zeros((inputs.shape[1], 1)), np.zeros(1), present)
            return GraphModel(graph, features, job.stop_steps, job.stop_steps)
        booster = _boost(
            configuration,
            inputs[ctx.train_rows],
            np.searchsorted(np.flatnonzero(present), codes),
            Rounds(job.start_steps, job.stop_steps, ctx.seed),
            watch=_Progress(inputs[ctx.valid_rows], np.asarray(data.y[ctx.valid_rows]), present, ctx),
            before=ctx.checkpoint,
        )
        done, text = int(booster.current_iteration()), str(booster.model_to_string(num_iteration=-1))
        graph = tree_softmax(_table(text, np.flatnonzero(present)), inputs.shape[1], present)
        return GraphModel(graph, features, done, done, {_MODEL: text, _STATE: json.dumps({"rounds": done})})


def _round_seconds(configuration: Configuration, *, rows: int, wide: int, classes: int) -> float:
    values = configuration.values
    used = max(1.0, wide * float(values["feature_fraction"]))
    tree = rows * used * _PER_USED_VALUE + int(values["num_leaves"]) * used * _MAX_BIN * _PER_LEAF_BIN
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
    """
    import lightgbm

    table = lightgbm.Dataset(inputs, codes, free_raw_data=False)
    old = lightgbm.Booster(model_file=str(before / _MODEL)) if before is not None and rounds.start else None
    return lightgbm.train(
        _parameters(configuration, int(codes.max()) + 1),
        table,
        num_boost_round=rounds.stop - rounds.start,
        init_model=old,
        callbacks=[_reseed(rounds.seed), *([_after(watch)] if watch else [])],
    )


def _parameters(configuration: Configuration, classes: int) -> dict[str, Any]:
    target = {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": classes}
    fixed = {
        "max_bin": _MAX_BIN,
        "num_threads": 1,
        "deterministic": True,
        "force_col_wise": True,  # 3x faster than row-wise where a tenth of the columns is drawn
        "feature_fraction_seed": 0,
        "verbose": -1,
    }
    return {**target, **fixed, **{name: configuration.values[name] for name in _SEARCHED}}


def _reseed(seed: int) -> Callable[[Any], None]:
    """Return a callback that gives each round its own stream; LightGBM starts anew when the seed changes."""

    def before(env: Any) -> None:
        # 1 and up: 0 is the seed the booster is made with, and an equal seed would not start anew
        env.model.reset_parameter({"feature_fraction_seed": 1 + derive(seed, "round", env.iteration) % (2**31 - 2)})

    before.before_iteration = True  # type: ignore[attr-defined]
    return before


def _after(watch: Watch) -> Callable[[Any], None]:
    from lightgbm.callback import EarlyStopException

    def after(env: Any) -> None:
        if watch(env.model, env.iteration + 1):
            raise EarlyStopException(env.iteration, [])

    return after


class _Progress:
    """Reports the score on the validation rows every few rounds, and sees when time is nearly over."""

    def __init__(self, inputs: np.ndarray, y: np.ndarray, present: np.ndarray, ctx: Context) -> None:
        self._inputs, self._y, self._present, self._ctx = inputs, y, present, ctx
        self._sums: np.ndarray | float = 0.0
        self._scored = 0
        self._left = ctx.seconds_left()

    def __call__(self, booster: Any, done: int) -> bool:
        is_late = self._is_late()
        if is_late:
            self._ctx.note("rounds", f"{done}: the time ended")
        if done % _REPORT_EVERY and not is_late:
            return False
        return self._ctx.report(done, self._score(booster, done)) or is_late

    def _is_late(self) -> bool:
        """Whether another round like the last one and the export would not fit."""
        last, self._left = self._left, self._ctx.seconds_left()
        return self._ctx.is_timed and self._left < 2 * (last - self._left) + _EXPORT_SECONDS

    def _score(self, booster: Any, done: int) -> float | None:
        if not len(self._y):
            return None
        self._sums += booster.predict(
            self._inputs, start_iteration=self._scored, num_iteration=done - self._scored, raw_score=True
        )
        self._scored = done
        return self._ctx.metric.score(self._y, _probabilities(np.asarray(self._sums), self._present))


def _probabilities(sums: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Return (rows, classes) probabilities from LightGBM's raw scores: (rows,) log-odds, or (rows, classes present)."""
    scores = np.stack([np.zeros_like(sums), sums], axis=1) if sums.ndim == 1 else sums
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities = np.zeros((len(sums), len(present)))
    probabilities[:, present] = odds / odds.sum(axis=1, keepdims=True)
    return probabilities


def _table(text: str, present: np.ndarray) -> Trees:
    """Return the nodes of a LightGBM model in its text format, inner nodes of a tree first, then its leaves.

    Source: the format written by `Tree::ToString`, https://github.com/microsoft/LightGBM/blob/v4.6.0/src/io/tree.cpp.

    Args:
        text: the model.
        present: class codes that the model's classes 0, 1, … stand for.
    """
    from automl.candidates.image.onnx_graphs import Trees

    sections = [_fields(section) for section in text.split("\nTree=")[1:]]
    inner = [_numbers(s, "split_feature").astype(np.int64) for s in sections]
    leaves = [_numbers(s, "leaf_value") for s in sections]
    sizes = [len(i) + len(v) for i, v in zip(inner, leaves, strict=True)]
    starts = np.cumsum([0, *sizes[:-1]])
    per_round = 1 if len(present) == 2 else len(present)
    target = present[np.arange(len(sections)) % per_round] if per_round > 1 else np.full(len(sections), present[1])
    blank = [np.zeros(len(v), np.int64) for v in leaves]
    return Trees(
        tree=np.repeat(np.arange(len(sections)), sizes),
        column=_interleave(inner, [b - 1 for b in blank]),
        threshold=_interleave([_numbers(s, "threshold") for s in sections], [b.astype(np.float64) for b in blank]),
        left=_interleave([_children(s, "left_child") for s in sections], blank),
        right=_interleave([_children(s, "right_child") for s in sections], blank),
        leaf=np.concatenate(
            [start + len(i) + np.arange(len(v)) for start, i, v in zip(starts, inner, leaves, strict=True)]
        ),
        target=np.repeat(target, [len(v) for v in leaves]),
        weight=np.concatenate(leaves),
    )


def _fields(section: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in section.split("\n\n", 1)[0].splitlines() if "=" in line)


def _numbers(section: dict[str, str], name: str) -> np.ndarray:
    """Return a field's numbers; a tree of one leaf has no inner nodes."""
    return np.array(section.get(name, "").split(), dtype=np.float64)


def _children(section: dict[str, str], name: str) -> np.ndarray:
    """Return node numbers; LightGBM writes leaf j as -1 - j."""
    child = _numbers(section, name).astype(np.int64)
    return np.where(child < 0, len(child) - 1 - child, child)


def _interleave(inner: list[np.ndarray], leaves: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([part for pair in zip(inner, leaves, strict=True) for part in pair])


CANDIDATE = GradientBoosting()
