from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from automl.candidates.image.features import cached
from automl.candidates.image.forest import CANDIDATE
from automl.candidates.image.graph_model import GraphModel
from automl.core.space import Configuration, Value
from automl.testing.context import ArrayData, LocalContext, one_member, striped_images

VALUES: dict[str, Value] = {
    "features": "pooled", "size": 8, "splits": "extra", "criterion": "gini", "trees": 25,
    "column_power": 0.5, "min_leaf": 2,
}  # fmt: skip


class StridingClock:
    """A clock that moves on whenever it is looked at."""

    def __init__(self, stride: float) -> None:
        self._now, self._stride = 0.0, stride

    def now(self) -> float:
        self._now += self._stride
        return self._now


def context(data: ArrayData, folder: Path, **given: Any) -> LocalContext:
    cut = len(data.X) * 4 // 5
    return LocalContext(np.arange(cut), np.arange(cut, len(data.X)), len(data.spec.classes), folder, seed=3, **given)


def fit(data: ArrayData, values: dict[str, Value], ctx: LocalContext) -> GraphModel:
    configuration = Configuration("forest", values)
    return CANDIDATE.fit(one_member(configuration), configuration, data, ctx)


@pytest.mark.parametrize(
    ("splits", "kind"), [("extra", ExtraTreesClassifier), ("random", RandomForestClassifier)], ids=["extra", "random"]
)
@pytest.mark.parametrize("classes", [2, 5], ids=["two classes", "five classes"])
def test_the_graph_equals_the_forest_of_scikit_learn(splits: str, kind: Any, classes: int, tmp_path: Path) -> None:
    data = striped_images(150, classes=classes)
    ctx = context(data, tmp_path)
    fitted = fit(data, {**VALUES, "splits": splits}, ctx)
    inputs = cached(fitted.features, data, tmp_path)
    forest = kind(n_estimators=25, min_samples_leaf=2, max_features=8, random_state=3)
    forest.fit(inputs[ctx.train_rows], data.y[ctx.train_rows])
    np.testing.assert_allclose(fitted.predict(data.X), forest.predict_proba(inputs), atol=1e-5)


def test_more_columns_and_larger_leaves_give_another_forest(tmp_path: Path) -> None:
    data = striped_images(90)
    sizes = [len(fit(data, {**VALUES, "min_leaf": leaf}, context(data, tmp_path)).graph) for leaf in (1, 5, 20)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[2]


def test_when_time_ends_the_trees_grown_so_far_are_the_forest(tmp_path: Path) -> None:
    data = striped_images(90)
    ctx = context(data, tmp_path, is_timed=True, seconds=10.0, clock=StridingClock(1.0))
    fitted = fit(data, {**VALUES, "trees": 200}, ctx)
    assert ctx.notes["trees"].endswith("of 200: the time ended")
    np.testing.assert_allclose(fitted.predict(data.X).sum(axis=1), 1, atol=1e-5)


def test_it_does_not_start_without_time_for_the_first_trees(tmp_path: Path) -> None:
    data = striped_images(90)
    ctx = context(data, tmp_path, is_timed=True, seconds=0.0)
    with pytest.raises(TimeoutError, match=r"forest with its first 10 trees takes about .* Raise the budget"):
        fit(data, VALUES, ctx)


def test_the_estimate_grows_with_trees_and_columns() -> None:
    spec = striped_images(90).spec
    costs = [
        CANDIDATE.estimate(spec, Configuration("forest", {**VALUES, **more}), 1000).seconds(1)
        for more in ({}, {"trees": 300}, {"trees": 300, "column_power": 0.8})
    ]
    assert costs == sorted(costs)
