"""The page holds predictions against the truth: numbers, kept probabilities, the columns of a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from automl.core.data import DataSpec
from automl.core.events import RunStarted
from automl.core.history import History
from automl.report.build import OutOfFold, ReportData, build
from automl.report.importance import ColumnImportance
from automl.report.numbers import MOST_POINTS, SHARES, number_fit
from automl.report.reliability import reliability
from automl.report.render import render

RULE = {"kind": "table", "columns": [{"name": "area", "kind": "number"}, {"name": "<town>", "kind": "category"}]}
N = 3000


def table_history(finished: Any, *, classes: tuple[str, ...], columns: dict[str, str], metric: str) -> History:
    """Return the finished run as if it had been on a table."""
    counts = tuple(N // 2 for _ in classes)
    spec = DataSpec("houses", "table", N, (2,), classes, counts, "ab" * 32, RULE, "group", "price", True, columns)
    history = History()
    for event in finished.events:
        history.apply(replace(event, spec=spec, metric=metric) if isinstance(event, RunStarted) else event)
    return history


def known(finished: Any, y: np.ndarray, predicted: np.ndarray) -> OutOfFold:
    weights = finished.history.decided.winner.weights
    return OutOfFold(y, {trial: predicted.astype(np.float32) for trial in weights})


@pytest.fixture(scope="session")
def houses(finished: Any) -> ReportData:
    y = np.random.default_rng(0).lognormal(12, 0.5, N)
    history = table_history(finished, classes=(), columns={"id": "identifier, left out"}, metric="rmse")
    importance = ColumnImportance({"area": (120.5, 3.0), "<town>": (-0.1, 0.2)}, 2000, 3)
    return build(history, out_of_fold=known(finished, y, y * 1.1), importance=importance)


@pytest.fixture(scope="session")
def adults(finished: Any) -> ReportData:
    rng = np.random.default_rng(0)
    promised = rng.random(N)
    y = (rng.random(N) < promised).astype(int)
    history = table_history(finished, classes=("no", "yes"), columns={}, metric="f1")
    assert history.decided is not None
    won = replace(history.decided.winner, calibration={"kind": "temperature", "temperature": 1.25},
                  decision={"weights": [1.0, 3.0]})  # fmt: skip
    history.decided = replace(history.decided, winner=won)
    return build(history, out_of_fold=known(finished, y, np.stack([1 - promised, promised], 1)))


def test_a_page_about_numbers_shows_predicted_and_actual_and_no_classes(houses: ReportData) -> None:
    page = render(houses)
    assert "Predicted and actual" in page
    assert "distribution of the target" in page
    assert "Confusion" not in page
    assert "Calibration" not in page


def test_a_page_about_two_classes_shows_confusion_and_calibration(adults: ReportData) -> None:
    page = render(adults)
    assert "<h2>Confusion</h2>" in page
    assert "<h2>Calibration</h2>" in page
    assert "Predicted and actual" not in page


def test_the_page_says_how_labels_and_probabilities_come_about(adults: ReportData) -> None:
    page = render(adults)
    assert "calibrated with temperature 1.25" in page
    assert "yes from a probability of 0.250 on, chosen for f1" in page


def test_the_confusion_is_that_of_the_decision(adults: ReportData) -> None:
    assert adults.confusion is not None
    predicted = adults.confusion.counts.sum(axis=0)
    assert predicted[1] > 2 * predicted[0]


def test_the_page_lists_what_became_of_each_column(houses: ReportData) -> None:
    assert "<td>id</td><td>identifier, left out</td>" in render(houses)


def test_without_a_list_the_columns_that_are_read_are_shown(adults: ReportData) -> None:
    assert "<td>&lt;town&gt;</td><td>category</td>" in render(adults)


def test_the_data_section_says_target_split_and_weights(houses: ReportData) -> None:
    page = render(houses)
    assert "3,000 rows × 2 columns (1 number, 1 category)" in page
    assert "by group" in page
    assert "rows have weights" in page


def test_importance_is_drawn_with_names_made_safe(houses: ReportData) -> None:
    page = render(houses)
    assert "What the model looks at" in page
    assert "on 2,000 rows that the models did not see" in page
    assert "<town>" not in page


def test_python_to_use_the_model_speaks_of_values(houses: ReportData) -> None:
    page = render(houses)
    assert "values = model.predict(table)" in page
    assert "only numpy and onnxruntime." in page


def test_a_run_without_predictions_has_no_such_sections(finished: Any) -> None:
    page = render(build(table_history(finished, classes=(), columns={}, metric="rmse")))
    assert "Predicted and actual" not in page
    assert "What the model looks at" not in page


def test_residuals_are_predicted_minus_actual() -> None:
    y = np.linspace(0, 100, 1001)
    fit = number_fit(y, y + 2)
    assert fit is not None
    assert fit.residuals == pytest.approx([2.0] * len(SHARES))
    assert fit.absolute == pytest.approx([2.0] * len(SHARES))


def test_rows_that_were_not_predicted_do_not_count() -> None:
    predicted = np.array([1.0, np.nan, 3.0])
    fit = number_fit(np.array([1.0, 2.0, 3.0]), predicted)
    assert fit is not None
    assert (fit.rows, fit.y.tolist()) == (2, [1.0, 3.0])


def test_nothing_predicted_is_nothing_to_show() -> None:
    assert number_fit(np.ones(3), np.full(3, np.nan)) is None


@pytest.mark.parametrize("rows", [1, 2, MOST_POINTS, 50_000])
def test_no_more_points_are_drawn_than_fit_the_page(rows: int) -> None:
    fit = number_fit(np.arange(rows, dtype=float), np.zeros(rows))
    assert fit is not None
    assert len(fit.y) == min(rows, MOST_POINTS)


def test_a_constant_target_has_a_histogram() -> None:
    fit = number_fit(np.full(10, 5.0), np.full(10, 5.0))
    assert fit is not None
    assert fit.counts.sum() == 10


def test_probabilities_that_keep_their_promise_lie_on_the_line() -> None:
    promised = np.random.default_rng(0).random(50_000)
    y = (np.random.default_rng(1).random(50_000) < promised).astype(int)
    found = reliability(y, np.stack([1 - promised, promised], 1), ("a", "b"))
    assert found is not None
    assert found.error < 0.01
    assert all(b.low <= b.kept <= b.high for b in found.bins)
    assert sum(b.rows for b in found.bins) == 50_000


def test_overconfident_probabilities_lie_off_the_line() -> None:
    found = reliability(np.arange(1000) % 2, np.tile([[0.1, 0.9]], (1000, 1)), ("a", "b"))
    assert found is not None
    assert found.error == pytest.approx(0.4)
    assert len(found.bins) == 1


@pytest.mark.parametrize(("rows", "classes"), [(49, 2), (1000, 3)], ids=["few-rows", "three-classes"])
def test_there_is_no_curve_where_it_would_say_nothing(rows: int, classes: int) -> None:
    scores = np.full((rows, classes), 1 / classes)
    assert reliability(np.zeros(rows, int), scores, tuple("abc"[:classes])) is None
