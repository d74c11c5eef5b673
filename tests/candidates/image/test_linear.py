from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from automl.candidates.image.graph_model import GraphModel
from automl.candidates.image.linear import CANDIDATE
from automl.core.clock import FakeClock
from automl.core.space import Configuration, Value
from automl.testing.context import ArrayData, LocalContext, image_data, one_member, striped_images

HOG: dict[str, Value] = {"features": "hog", "cells": 4, "bins": 12, "l2": 5e-3}
POOLED: dict[str, Value] = {"features": "pooled", "size": 8, "l2": 5e-3}


def digits(rows: int) -> ArrayData:
    loaded = load_digits()
    X = np.round(loaded.images[:rows, ..., None] * (255 / 16)).astype(np.uint8)
    return image_data(X, loaded.target[:rows].astype(np.int64), classes=10, name=f"digits-{rows}")


def context(data: ArrayData, folder: Path) -> LocalContext:
    cut = len(data.X) * 4 // 5
    return LocalContext(np.arange(cut), np.arange(cut, len(data.X)), len(data.spec.classes), folder)


def fit(data: ArrayData, values: dict[str, Value], ctx: LocalContext) -> GraphModel:
    configuration = Configuration("linear", values)
    return CANDIDATE.fit(one_member(configuration), configuration, data, ctx)


@pytest.mark.parametrize(("values", "least"), [(HOG, 0.94), (POOLED, 0.90)], ids=["hog", "pooled"])
def test_it_reads_digits(values: dict[str, Value], least: float, tmp_path: Path) -> None:
    data = digits(900)
    ctx = context(data, tmp_path)
    fit(data, values, ctx)
    assert ctx.reports[0][1] is not None
    assert ctx.reports[0][1] >= least


@pytest.mark.parametrize("classes", [2, 3], ids=["two classes", "three classes"])
def test_the_graph_equals_scikit_learn_on_standardised_columns(classes: int, tmp_path: Path) -> None:
    data = striped_images(200, classes=classes)
    ctx = context(data, tmp_path)
    fitted = fit(data, {**POOLED, "l2": 0.05}, ctx)
    columns = StandardScaler().fit((data.X.reshape(200, -1) / 255)[ctx.train_rows])
    scaled = columns.transform(data.X.reshape(200, -1) / 255)
    solver = LogisticRegression(C=1 / (0.05 * len(ctx.train_rows)), max_iter=500)
    solver.fit(scaled[ctx.train_rows], data.y[ctx.train_rows])
    np.testing.assert_allclose(fitted.predict(data.X), solver.predict_proba(scaled), atol=0.02)


def test_a_stronger_penalty_gives_smaller_weights(tmp_path: Path) -> None:
    data = striped_images(90)
    weak, strong = (fit(data, {**POOLED, "l2": l2}, context(data, tmp_path)).predict(data.X) for l2 in (1e-3, 1.0))
    assert strong.max() < weak.max()


def test_a_column_that_never_changes_is_harmless(tmp_path: Path) -> None:
    data = striped_images(90)
    data.X[:, 0] = 31
    assert np.isfinite(fit(data, POOLED, context(data, tmp_path)).predict(255 - data.X)).all()


def test_a_class_without_rows_has_probability_zero(tmp_path: Path) -> None:
    data = striped_images(90)
    ctx = context(data, tmp_path)
    ctx.train_rows = np.flatnonzero(data.y != 0)
    assert not fit(data, HOG, ctx).predict(data.X)[:, 0].any()


def test_it_does_not_start_what_cannot_end_in_time(tmp_path: Path) -> None:
    data = striped_images(90)
    ctx = context(data, tmp_path)
    ctx.is_timed, ctx.seconds, ctx.clock = True, 0.0, FakeClock()
    with pytest.raises(TimeoutError, match=r"linear takes about .* Got 0.0 s. Raise the budget"):
        fit(data, HOG, ctx)


def test_without_a_timed_budget_no_clock_is_read(tmp_path: Path) -> None:
    data = striped_images(90)
    ctx = context(data, tmp_path)
    ctx.seconds, ctx.clock = 0.0, FakeClock()
    assert fit(data, HOG, ctx).steps == 1


def test_the_features_of_all_rows_are_cached_and_used_again(tmp_path: Path) -> None:
    data = striped_images(90)
    fit(data, HOG, context(data, tmp_path))
    (cached,) = tmp_path.iterdir()
    written = cached.stat().st_mtime_ns
    fit(data, {**HOG, "l2": 0.1}, context(data, tmp_path))
    assert [f.stat().st_mtime_ns for f in tmp_path.iterdir()] == [written]
