from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from automl.core.events import RunStarted
from automl.core.history import History
from automl.recorders.mlflow import svg
from automl.recorders.mlflow.importance import importances
from automl.recorders.mlflow.plots import confusion, plots, unseen
from automl.testing.recorded_run import ROWS, recorded_run

SVG = "{http://www.w3.org/2000/svg}"


def folded(events) -> History:
    history = History()
    for event in events:
        history.apply(event)
    return history


@pytest.fixture
def history(tmp_path):
    return folded(recorded_run(tmp_path, trials=8))


def test_a_run_has_four_plots(history, tmp_path):
    assert sorted(plots(history, tmp_path)) == [
        "plots/budget.svg", "plots/confusion_matrix.svg", "plots/importance.svg", "plots/learning_curves.svg",
    ]  # fmt: skip


def test_every_plot_is_well_formed(history, tmp_path):
    assert all(ElementTree.fromstring(text).tag == f"{SVG}svg" for text in plots(history, tmp_path).values())


def test_a_run_without_results_has_no_plots(history, tmp_path):
    assert plots(folded([history.started]), tmp_path) == {}


def test_the_confusion_matrix_counts_every_row_once(history, tmp_path):
    counts = confusion(unseen(history, tmp_path))
    assert counts.sum() == ROWS
    assert counts.sum(axis=1).tolist() == [10, 10, 10]


def test_the_confusion_matrix_is_the_weighted_ensembles(history, tmp_path):
    y, folds = np.load(tmp_path / "data" / "y.npy"), np.load(tmp_path / "folds.npy")
    for number in (0, 1):
        for fold in range(3):
            right = np.eye(3, dtype=np.float32)[y[folds == fold]] * (0.9 if number == 0 else 0.1)
            np.save(
                tmp_path / "members" / f"t{number:05d}-f{fold}" / "oof.npy", right if number == 0 else right[:, ::-1]
            )
    assert np.diag(confusion(unseen(history, tmp_path))).tolist() == [10, 10, 10]


@pytest.mark.parametrize("lost", ["data/y.npy", "folds.npy", "members/t00001-f2/oof.npy"])
def test_without_its_files_there_is_no_confusion_matrix(history, tmp_path, lost):
    (tmp_path / lost).unlink()
    assert unseen(history, tmp_path) is None
    assert "plots/confusion_matrix.svg" not in plots(history, tmp_path)


def test_names_with_angle_brackets_stay_text():
    page = ElementTree.fromstring(svg.matrix("a < b & c", np.ones((2, 2), int), ("<x>", "y&z")))
    assert "<x>" in [t.text for t in page.iter(f"{SVG}text")]


def test_a_line_has_a_point_for_each_pair():
    page = ElementTree.fromstring(svg.lines("t", "x", "y", {"a": [(0, 1), (1, 2)], "b": [(0, 1)]}))
    assert len(page.findall(f"{SVG}circle")) == 3
    assert len(page.findall(f"{SVG}polyline")) == 2


@pytest.mark.parametrize("series", [{}, {"a": []}, {"a": [(1.0, 1.0)]}, {"a": [(0.0, float("nan"))]}],
                         ids=["none", "empty", "one point", "nan"])  # fmt: skip
def test_odd_series_are_drawn_too(series):
    assert "nan" not in svg.lines("t", "x", "y", series).split("text-anchor")[0].lower()


def test_bars_are_as_long_as_their_share():
    page = ElementTree.fromstring(svg.bars("t", {"a": 1.0, "b": 0.5}))
    wide = [float(r.get("width")) for r in page.findall(f"{SVG}rect")[1:]]
    assert wide[0] == pytest.approx(2 * wide[1])


def shaped(tmp_path, score) -> History:
    """Return a run of 8 trials whose fold scores are score(number)."""
    from dataclasses import replace

    history = folded(recorded_run(tmp_path, trials=8))
    for trial in history.full():
        trial.results = {f: replace(r, score=score(trial.number)) for f, r in trial.results.items()}
    return history


def test_a_parameter_that_orders_the_scores_is_all_important(tmp_path):
    found = importances(shaped(tmp_path, lambda n: 0.5 + n / 100))
    assert found["cnn.lr"] == pytest.approx(1.0)
    assert next(iter(found)) == "cnn.lr"


def test_a_choice_that_splits_the_scores_is_important(tmp_path):
    assert importances(shaped(tmp_path, lambda n: 0.5 + (n % 2) / 100))["cnn.norm"] == pytest.approx(1.0)


def test_equal_scores_leave_nothing_to_explain(tmp_path):
    assert set(importances(shaped(tmp_path, lambda n: 0.5)).values()) == {0.0}


def test_few_trials_say_nothing(tmp_path):
    assert importances(folded(recorded_run(tmp_path, trials=5))) == {}


def test_a_run_of_many_classes_has_no_matrix_of_names(history, tmp_path):
    from dataclasses import replace

    spec = replace(history.started.spec, classes=tuple(map(str, range(99))))
    started: RunStarted = replace(history.started, spec=spec)
    history.started = started
    for path in tmp_path.glob("members/*/oof.npy"):
        np.save(path, np.ones((len(np.load(path)), 99), np.float32))
    assert "plots/confusion_matrix.svg" not in plots(history, tmp_path)
