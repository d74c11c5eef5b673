from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest

from automl.candidates.image.features import cached
from automl.candidates.image.gbdt import CANDIDATE
from automl.candidates.image.graph_model import GraphModel
from automl.core.clock import FakeClock
from automl.core.metrics import metric
from automl.core.space import Configuration, Value
from automl.testing.context import ArrayData, LocalContext, one_member, striped_images

VALUES: dict[str, Value] = {
    "features": "pooled", "size": 8, "learning_rate": 0.2, "num_leaves": 6, "feature_fraction": 0.3,
    "min_data_in_leaf": 5, "lambda_l2": 0.1,
}  # fmt: skip
CONFIGURATION = Configuration("gbdt", VALUES)


def context(data: ArrayData, folder: Path, **given: Any) -> LocalContext:
    cut = len(data.X) * 4 // 5
    return LocalContext(np.arange(cut), np.arange(cut, len(data.X)), len(data.spec.classes), folder, seed=3, **given)


def fit(data: ArrayData, ctx: LocalContext, *, start: int = 0, stop: int = 12) -> GraphModel:
    return CANDIDATE.fit(one_member(CONFIGURATION, start=start, stop=stop, full=12), CONFIGURATION, data, ctx)


@pytest.mark.parametrize("classes", [2, 3], ids=["two classes", "three classes"])
def test_the_graph_equals_lightgbm(classes: int, tmp_path: Path) -> None:
    data = striped_images(150, classes=classes)
    fitted = fit(data, context(data, tmp_path))
    fitted.save_checkpoint(tmp_path)
    booster = lightgbm.Booster(model_file=str(tmp_path / "checkpoint.txt"))
    expected = booster.predict(cached(fitted.features, data, tmp_path))
    found = fitted.predict(data.X)
    np.testing.assert_allclose(found[:, 1] if classes == 2 else found, expected, atol=1e-5)


def test_a_class_without_rows_has_probability_zero(tmp_path: Path) -> None:
    data = striped_images(200, classes=4)
    ctx = context(data, tmp_path)
    ctx.train_rows = ctx.train_rows[data.y[ctx.train_rows] != 2]
    predicted = fit(data, ctx).predict(data.X)
    assert not predicted[:, 2].any()
    assert (predicted.argmax(axis=1) == data.y)[data.y == 3].mean() > 0.8


def test_too_few_rows_for_a_split_give_the_frequencies(tmp_path: Path) -> None:
    data = striped_images(10)
    fitted = fit(data, context(data, tmp_path))
    np.testing.assert_allclose(fitted.predict(data.X), [[3 / 8, 3 / 8, 2 / 8]] * 10, atol=1e-5)
    assert fitted.steps == 12


def test_images_that_are_all_alike_give_the_frequencies(tmp_path: Path) -> None:
    data = striped_images(10)
    data.X[:] = 9
    np.testing.assert_allclose(fit(data, context(data, tmp_path)).predict(data.X), [[3 / 8, 3 / 8, 2 / 8]] * 10)


def test_scores_are_reported_every_five_rounds_and_at_the_end(tmp_path: Path) -> None:
    data = striped_images(150)
    ctx = context(data, tmp_path, metric=metric("log_loss"))
    fit(data, ctx)
    assert [step for step, _, _ in ctx.reports] == [5, 10, 12]
    assert ctx.reports[1][1] < ctx.reports[0][1]  # type: ignore[operator]


def test_the_reported_score_is_that_of_the_model(tmp_path: Path) -> None:
    data = striped_images(150)
    ctx = context(data, tmp_path, metric=metric("log_loss"))
    fitted = fit(data, ctx, stop=10)
    score = ctx.metric.score(data.y[ctx.valid_rows], fitted.predict(data.X[ctx.valid_rows]))
    assert ctx.reports[-1][1] == pytest.approx(score, abs=1e-5)


def test_the_score_after_a_continuation_counts_the_earlier_rounds(tmp_path: Path) -> None:
    data = striped_images(150)
    once = context(data, tmp_path, metric=metric("log_loss"))
    fit(data, once, stop=10)
    fit(data, context(data, tmp_path), stop=3).save_checkpoint(tmp_path)
    parts = context(data, tmp_path, metric=metric("log_loss"), checkpoint=tmp_path)
    fit(data, parts, start=3, stop=10)
    assert parts.reports[-1][1] == pytest.approx(once.reports[-1][1], abs=1e-9)


def test_it_stops_where_the_stop_rule_says_so(tmp_path: Path) -> None:
    data = striped_images(150)
    fitted = fit(data, context(data, tmp_path, stop_after=1))
    assert (fitted.steps, fitted.best_step) == (5, 5)


def test_when_time_ends_it_keeps_the_rounds_done(tmp_path: Path) -> None:
    data = striped_images(150)
    ctx = context(data, tmp_path, is_timed=True, seconds=0.1, clock=FakeClock())
    assert fit(data, ctx).steps == 1
    assert ctx.notes["rounds"] == "1: the time ended"


def test_the_checkpoint_says_how_many_rounds_it_holds(tmp_path: Path) -> None:
    data = striped_images(90)
    fit(data, context(data, tmp_path), stop=4).save_checkpoint(tmp_path)
    assert json.loads((tmp_path / "checkpoint.json").read_text())["rounds"] == 4
    assert lightgbm.Booster(model_file=str(tmp_path / "checkpoint.txt")).current_iteration() == 4


def test_going_on_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    data = striped_images(90)
    with pytest.raises(ValueError, match=r"gbdt: round 4 is continued from a checkpoint. Got none. Start at round 0."):
        fit(data, context(data, tmp_path), start=4)


def test_a_probe_scales_the_estimate_to_this_machine(tmp_path: Path) -> None:
    data = striped_images(150)
    ctx = context(data, tmp_path)
    measured = CANDIDATE.probe(data, CONFIGURATION, ctx)
    estimated = CANDIDATE.estimate(data.spec, CONFIGURATION, len(ctx.train_rows))
    ratio = measured.step_seconds / estimated.step_seconds
    assert measured.fixed_seconds == pytest.approx(estimated.fixed_seconds * ratio)
    assert not list(tmp_path.iterdir())
