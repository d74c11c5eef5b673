"""The task says what can be learned and what the user should know."""

from __future__ import annotations

import numpy as np
import pytest

from automl.core.data import DataSpec
from automl.core.protocols import Task
from automl.errors import DataError
from automl.tasks.image_clf import TASK


def spec(**counts: int) -> DataSpec:
    rows = sum(counts.values())
    return DataSpec("pets", "image", rows, (8, 8, 1), tuple(counts), tuple(counts.values()), "0" * 64)


def found(**counts: int) -> dict[str, str]:
    task: Task = TASK
    return {f.code: f.message for f in task.validate(spec(**counts), np.zeros(sum(counts.values()), np.int64))}


def test_balanced_classes_need_no_word() -> None:
    assert found(cat=20, dog=25) == {}


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"cat": 20}, "pets: at least two classes are needed. Got one class only: 'cat'"),
        ({}, "pets: at least two classes are needed"),
        ({"cat": 20, "dog": 1}, "pets: every class needs at least 2 images. Got 1 in 'dog'"),
        ({"cat": 1, "dog": 1}, "pets: every class needs at least 2 images. Got 1 in 'cat'"),
    ],
    ids=["one-class", "no-class", "single-image", "two-rows"],
)
def test_data_without_a_choice_to_learn_is_refused(counts: dict[str, int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        found(**counts)


def test_rare_classes_are_told_with_their_numbers() -> None:
    assert found(cat=20, dog=3, owl=2) == {
        "classes-rare": "2 classes have fewer than 5 images, so there are fewer folds: 'dog' (3), 'owl' (2)"
    }


def test_imbalance_is_told_with_a_better_metric() -> None:
    message = found(cat=2000, dog=10)["classes-imbalanced"]

    assert "2000 images of 'cat', 10 of 'dog'" in message
    assert "--metric balanced_accuracy" in message


def test_labels_that_differ_by_spaces_or_case_are_listed() -> None:
    message = found(**{" a": 9, "A": 9, "b": 9, "a ": 9})["labels-alike"]

    assert message == "classes that differ only by letter case or spaces: ' a', 'A', 'a '"


def test_the_default_metric_comes_first() -> None:
    assert TASK.info.metrics[0] == "accuracy"
    assert (TASK.info.name, TASK.info.default_data) == ("image-clf", "digits")
