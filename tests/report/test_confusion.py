"""Counts of which class was taken for which."""

from __future__ import annotations

import numpy as np

from automl.report.confusion import Mistake, confusion

CLASSES = ("a", "b", "c")


def one_hot(codes: list[int], k: int = 3) -> np.ndarray:
    return np.eye(k, dtype=np.float32)[codes]


def test_rows_are_the_truth_and_columns_the_prediction() -> None:
    found = confusion(np.array([0, 0, 1, 2]), one_hot([0, 1, 1, 0]), CLASSES)
    assert found.counts.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_rows_without_a_prediction_do_not_count() -> None:
    scores = one_hot([0, 1])
    scores[1] = np.nan
    assert confusion(np.array([0, 1]), scores, CLASSES).rows == 1


def test_mistakes_are_listed_by_number() -> None:
    found = confusion(np.array([0, 0, 0, 1]), one_hot([1, 1, 2, 0]), CLASSES)
    assert found.mistakes == (Mistake("a", "b", 2, 3), Mistake("a", "c", 1, 3), Mistake("b", "a", 1, 1))


def test_no_mistake_is_an_empty_list() -> None:
    assert confusion(np.array([0, 1]), one_hot([0, 1]), CLASSES).mistakes == ()


def test_of_many_classes_the_most_confused_are_shown_in_order() -> None:
    names = tuple(f"c{i}" for i in range(40))
    found = confusion(np.array([5, 30, 7]), one_hot([30, 5, 7], 40), names, most=2)
    assert (found.classes, found.left_out) == (("c5", "c30"), 38)


def test_a_class_that_never_occurs_has_an_empty_row() -> None:
    assert confusion(np.array([0]), one_hot([0]), CLASSES).counts[2].tolist() == [0, 0, 0]
