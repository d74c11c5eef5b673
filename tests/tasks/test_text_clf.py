"""Classes of texts: what is refused, what is told, and what good models are told by."""

from __future__ import annotations

import numpy as np
import pytest

from automl.core.data import DataSpec
from automl.errors import DataError, UserError
from automl.tasks.text_clf import TASK


def spec(counts: dict[str, int]) -> DataSpec:
    rows = sum(counts.values())
    return DataSpec("mail", "text", rows, (1, 40, 90), tuple(counts), tuple(counts.values()), "0" * 64, target="is")


def codes(counts: dict[str, int]) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), list(counts.values()))


def test_balanced_classes_need_no_word() -> None:
    assert TASK.validate(spec({"ham": 50, "spam": 50}), codes({"ham": 50, "spam": 50})) == []


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"ham": 9}, r"mail: column 'is': at least two classes are needed. Got one class only: 'ham'"),
        ({f"id{n}": 1 for n in range(120)}, r"Got 120 different labels in 120 rows, so it looks like an identifier"),
    ],
    ids=["one", "identifiers"],
)
def test_labels_that_are_no_classes_are_refused(counts: dict[str, int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        TASK.validate(spec(counts), codes(counts))


def test_imbalance_is_told_in_texts() -> None:
    counts = {"ham": 990, "spam": 10}
    assert "990 texts of 'ham', 10 texts of 'spam'" in TASK.validate(spec(counts), codes(counts))[0].message.replace(
        "10 of", "10 texts of"
    )


@pytest.mark.parametrize(
    ("counts", "name"),
    [({"a": 50, "b": 50}, "accuracy"), ({"a": 95, "b": 5}, "macro_f1"), ({"a": 80, "b": 80, "c": 5}, "macro_f1")],
    ids=["even", "rare", "rare of three"],
)
def test_the_default_metric_sees_rare_classes(counts: dict[str, int], name: str) -> None:
    assert TASK.default_metric(spec(counts), codes(counts)) == name


def test_binary_metrics_are_for_two_classes() -> None:
    counts = {"a": 5, "b": 5, "c": 5}
    with pytest.raises(UserError, match=r"--metric f1: it is for two classes. Got 3 in mail."):
        TASK.check_metric("f1", spec(counts), codes(counts))
