"""Classes of a table: what is refused, what is told, and what good models are told by."""

from __future__ import annotations

import numpy as np
import pytest

from automl.core.data import DataSpec
from automl.core.protocols import Task
from automl.errors import DataError, UserError
from automl.tasks.tabular_clf import TASK


def spec(counts: dict[str, int]) -> DataSpec:
    rows = sum(counts.values())
    return DataSpec("churn", "table", rows, (5,), tuple(counts), tuple(counts.values()), "0" * 64, target="left")


def codes(counts: dict[str, int]) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), list(counts.values()))


def found(counts: dict[str, int]) -> dict[str, str]:
    task: Task = TASK
    return {finding.code: finding.message for finding in task.validate(spec(counts), codes(counts))}


def test_balanced_classes_need_no_word() -> None:
    assert found({"no": 50, "yes": 50}) == {}


REFUSED = {
    "one-class": ({"no": 9}, "churn: column 'left': at least two classes are needed. Got one class only: 'no'"),
    "no-class": ({}, "at least two classes are needed"),
    "identifiers": (
        {f"id{n}": 1 for n in range(120)},
        "Got 120 different labels in 120 rows, so it looks like an identifier",
    ),
    "amounts": ({f"{n}.5": 2 for n in range(60)}, "Got 60 different numbers in 120 rows, which looks like an amount"),
    "counts": ({f"{n}": 3 for n in range(300)}, "Got 300 different numbers in 900 rows, .* Use --task tabular-reg"),
    "too-many": ({f"user {n}": 3 for n in range(2001)}, "at most 2000 classes are learned. Got 2001"),
}


@pytest.mark.parametrize(("counts", "message"), REFUSED.values(), ids=REFUSED)
def test_labels_that_are_no_classes_are_refused(counts: dict[str, int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        found(counts)


FAIR = {
    "tiny": {"a": 2, "b": 2, "c": 1},
    "two-singles": {"a": 1, "b": 1},
    "letters": {chr(97 + n): 30 for n in range(26)},
    "ratings": {f"{n / 2:g}": 30 for n in range(20)},
    "codes": {str(n): 200 for n in range(300)},
    "names": {f"product {n}": 30 for n in range(1000)},
}


@pytest.mark.parametrize("counts", FAIR.values(), ids=FAIR)
def test_labels_that_may_be_classes_are_taken(counts: dict[str, int]) -> None:
    assert "labels-alike" not in found(counts)


def test_a_class_of_one_row_is_told_and_learned() -> None:
    assert found({"a": 50, "b": 50, "c": 1})["classes-rare"].endswith("'c' (1)")


@pytest.mark.parametrize(
    ("counts", "advice"),
    [
        ({"a": 10, "b": 990}, "roc_auc and average_precision do not"),
        ({"a": 10, "b": 500, "c": 490}, "--metric balanced_accuracy"),
    ],
    ids=["two", "three"],
)
def test_imbalance_is_told_with_metrics_that_stand_it(counts: dict[str, int], advice: str) -> None:
    assert found(counts)["classes-imbalanced"].endswith(advice)


def test_a_rare_class_that_is_not_looked_for_is_told() -> None:
    assert found({"fraud case": 10, "ok": 990})["positive-frequent"].endswith("use --positive 'fraud case'")
    assert "positive-frequent" not in found({"no": 990, "yes": 10})


@pytest.mark.parametrize(
    ("counts", "metric"),
    [
        ({"no": 50, "yes": 50}, "roc_auc"),
        ({"no": 950, "yes": 50}, "roc_auc"),
        ({"no": 951, "yes": 49}, "average_precision"),
        ({"fraud": 10, "ok": 990}, "roc_auc"),
        ({"a": 5, "b": 5, "c": 990}, "accuracy"),
    ],
    ids=["even", "at-the-border", "rare-positive", "rare-negative", "several"],
)
def test_the_data_choose_the_metric(counts: dict[str, int], metric: str) -> None:
    assert TASK.default_metric(spec(counts), codes(counts)) == metric


@pytest.mark.parametrize("metric", TASK.info.metrics)
def test_two_classes_have_every_metric(metric: str) -> None:
    counts = {"no": 5, "yes": 5}
    TASK.check_metric(metric, spec(counts), codes(counts))


@pytest.mark.parametrize("metric", ["f1", "average_precision"])
def test_a_metric_of_two_classes_is_refused_for_more(metric: str) -> None:
    counts = {"a": 5, "b": 5, "c": 5}
    with pytest.raises(
        UserError, match=f"--metric {metric}: it is for two classes. Got 3 in churn. Use one of: roc_auc"
    ):
        TASK.check_metric(metric, spec(counts), codes(counts))


def test_a_metric_of_regression_is_refused() -> None:
    with pytest.raises(UserError, match="--metric rmse: tabular-clf is scored by one of: roc_auc, accuracy"):
        TASK.check_metric("rmse", spec({"a": 5, "b": 5}), codes({"a": 5, "b": 5}))


def test_the_facts_of_the_task() -> None:
    assert (TASK.info.name, TASK.info.kind, TASK.info.target, TASK.info.default_data) == (
        "tabular-clf",
        "table",
        "classes",
        "breast-cancer",
    )
