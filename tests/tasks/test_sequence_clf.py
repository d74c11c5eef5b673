"""The task of classifying series says what cannot be learned, and what a good model is."""

from __future__ import annotations

import numpy as np
import pytest

from automl import registry
from automl.core.data import DataSpec
from automl.errors import DataError, UserError
from automl.tasks.sequence_clf import TASK


def spec(*counts: int, target: str = "") -> DataSpec:
    classes = tuple(f"c{code}" for code in range(len(counts)))
    return DataSpec("waves", "series", sum(counts), (2, 10, 20), classes, counts, "", target=target)


Y = np.zeros(0, np.int64)


def test_the_task_is_registered() -> None:
    assert registry.resolve("task", "sequence-clf") is TASK
    assert TASK.info.kind == "series"
    assert TASK.info.candidates[0] == "baseline"


REFUSED = {
    "one class": (spec(9), "waves: at least two classes are needed. Got one class only: 'c0'"),
    "one class of a column": (spec(9, target="label"), "waves: column 'label': at least two classes are needed"),
    "names": (spec(1, 1, 1), "classes must recur. Got 3 different labels for 3 series"),
    "very many": (spec(*[2] * 2001), "at most 2000 classes are learned. Got 2001"),
}


@pytest.mark.parametrize(("facts", "message"), REFUSED.values(), ids=REFUSED)
def test_labels_that_are_no_classes_are_refused(facts: DataSpec, message: str) -> None:
    with pytest.raises(DataError, match=message):
        TASK.validate(facts, Y)


FOUND = {
    "good": (spec(30, 30), []),
    "rare": (spec(30, 3), ["classes-rare"]),
    "imbalanced": (spec(300, 10), ["classes-imbalanced"]),
}


@pytest.mark.parametrize(("facts", "codes"), FOUND.values(), ids=FOUND)
def test_what_is_worth_knowing_about_classes_is_told(facts: DataSpec, codes: list[str]) -> None:
    assert [finding.code for finding in TASK.validate(facts, Y)] == codes


def test_messages_speak_of_series() -> None:
    assert "fewer than 5 series" in TASK.validate(spec(30, 3), Y)[0].message


def test_the_metric_is_accuracy_unless_another_is_named() -> None:
    assert TASK.default_metric(spec(5, 5), Y) == "accuracy"
    TASK.check_metric("macro_f1", spec(5, 5), Y)


def test_metrics_of_other_tasks_are_refused() -> None:
    with pytest.raises(UserError, match="--metric rmse: sequence-clf is scored by one of: accuracy"):
        TASK.check_metric("rmse", spec(5, 5), Y)
