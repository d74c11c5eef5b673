from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.candidates.tabular import network_fit
from automl.candidates.tabular.mlp import CANDIDATE
from automl.candidates.tabular.network_candidate import encoder_options
from automl.candidates.tabular.table_model import TableModel
from automl.core.metrics import metric
from automl.core.space import Configuration
from automl.testing.context import ArrayData, LocalContext, mixed_table, one_member

VALUES: dict[str, Any] = {
    "numbers": "quantile", "categories": "embedding", "category_width": 4, "texts": 20, "layers": 1, "width": 32,
    "embedding": "piecewise", "embedding_width": 4, "bins": 8, "dropout": 0.1, "lr": 0.01, "weight_decay": 1e-3,
    "batch_size": 64, "epochs": 6, "patience": 3, "decay": 1.0, "ema": 0.5, "class_weights": "none", "target": "none",
}  # fmt: skip
CLASSES, NUMBERS = mixed_table(240, classes=3), mixed_table(240, classes=0)


def context(folder: Path, data: ArrayData, **changes: Any) -> LocalContext:
    rows, classes = np.random.default_rng(0).permutation(data.spec.rows), len(data.spec.classes)
    given = {"metric": metric("accuracy" if classes else "rmse"), **changes}
    return LocalContext(rows[:180], rows[180:], classes, folder, **given)


def fit(ctx: LocalContext, data: ArrayData, **values: Any) -> TableModel:
    configuration = Configuration("mlp", {**VALUES, **values})
    return CANDIDATE.fit(one_member(configuration), configuration, data, ctx)


@pytest.mark.parametrize(
    "values",
    [{"embedding": "periodic", "frequencies": 6, "sigma": 0.1}, {"embedding": "none"}, {"categories": "onehot"},
     {"numbers": "standard"}, {"members": 4, "scaled": True}, {"ema": 0.0, "decay": 0.0}],
    ids=["periodic", "no embedding", "onehot", "standard", "members", "neither average nor decay"],
)  # fmt: skip
def test_every_choice_trains(tmp_path: Path, values: dict[str, Any]) -> None:
    ctx = context(tmp_path, CLASSES)
    fit(ctx, CLASSES, **values)
    assert ctx.reports[-1][1] is not None
    assert ctx.reports[-1][1] > 0.5


def test_it_says_how_long_it_trained(tmp_path: Path) -> None:
    ctx = context(tmp_path, CLASSES)
    fit(ctx, CLASSES)
    best, done = ctx.notes["epochs"].removesuffix(", at most 6").split(" of ")
    assert 1 <= int(best) <= int(done) <= 6


def test_where_time_is_short_it_ends_early(tmp_path: Path) -> None:
    fit(context(tmp_path, CLASSES), CLASSES, epochs=1)  # the encoded table is in the cache now
    ctx = context(tmp_path, CLASSES, is_timed=True, seconds=1.0)
    fit(ctx, CLASSES, epochs=100_000, patience=100_000)
    assert ctx.notes["epochs"].endswith("cut by time")


def test_class_weights_raise_a_rare_class(tmp_path: Path) -> None:
    rows = np.flatnonzero((CLASSES.y != 1) | (np.arange(240) % 24 == 1))
    ctx = context(tmp_path, CLASSES)
    ctx.train_rows = np.intersect1d(ctx.train_rows, rows)
    plain = fit(ctx, CLASSES).predict(CLASSES.X)
    assert fit(ctx, CLASSES, class_weights="balanced").predict(CLASSES.X)[:, 1].mean() > plain[:, 1].mean()


def test_a_logarithmic_target_comes_back_in_its_own_unit(tmp_path: Path) -> None:
    data = dataclasses.replace(NUMBERS, y=np.exp(NUMBERS.y / 5))
    predicted = fit(context(tmp_path, data), data, target="log", epochs=20, patience=10).predict(data.X)
    assert np.median(np.abs(np.log(predicted) - np.log(data.y))) < 0.6


def test_the_metric_mae_is_met_by_the_median(tmp_path: Path) -> None:
    y = np.where(np.arange(240) % 3 == 0, 1000.0, np.random.default_rng(0).normal(size=240))
    data = dataclasses.replace(NUMBERS, y=y, X=NUMBERS.X[np.random.default_rng(1).permutation(240)])
    ctx = context(tmp_path, data, metric=metric("mae"))
    assert np.median(fit(ctx, data, epochs=30, patience=30).predict(data.X)) < 100


def test_of_too_many_rows_a_sample_is_learned_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = mixed_table(1800, classes=3)
    ctx = context(tmp_path, data)
    ctx.train_rows = np.arange(1750)
    monkeypatch.setattr(network_fit, "_MOST_VALUES", 1000)
    fit(ctx, data, epochs=1)
    assert ctx.notes["rows"].startswith("a sample of 1000 of 1")


def test_without_patience_no_row_is_held_out(tmp_path: Path) -> None:
    ctx = context(tmp_path, CLASSES)
    fit(ctx, CLASSES, patience=0)
    assert ctx.notes["epochs"] == "6 of 6, at most 6"


@pytest.mark.parametrize(("categories", "expected"), [("embedding", "codes"), ("onehot", "onehot")])
def test_a_network_never_sees_gaps(categories: str, expected: str) -> None:
    options = encoder_options({**VALUES, "categories": categories})
    assert (options.missing, options.categories, options.texts) == ("impute", expected, 20)


@pytest.mark.parametrize("name", ["mlp", "tabm"])
def test_candidates_are_named_as_their_modules(name: str) -> None:
    module = importlib.import_module(f"automl.candidates.tabular.{name}")
    assert module.CANDIDATE.name == name
    assert module.CANDIDATE.tasks == ("tabular-clf", "tabular-reg")
