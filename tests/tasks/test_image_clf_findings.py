"""What the task tells about classes: each finding alone, at its border."""

from __future__ import annotations

import numpy as np
import pytest

from automl.core.data import DataSpec
from automl.errors import DataError
from automl.tasks.image_clf import TASK


def found(counts: dict[str, int]) -> dict[str, str]:
    """Return code → message for classes with so many rows."""
    spec = DataSpec("d", "image", sum(counts.values()), (8, 8, 1), tuple(counts), tuple(counts.values()), "0" * 64)
    y = np.repeat(np.arange(len(counts)), list(counts.values()))
    return {finding.code: finding.message for finding in TASK.validate(spec, y)}


@pytest.mark.parametrize("rows", [5, 6, 100])
def test_enough_rows_of_each_class_need_no_word(rows: int) -> None:
    assert found({"a": rows, "b": rows}) == {}


@pytest.mark.parametrize("rows", [2, 3, 4])
def test_rare_classes_are_counted_and_named(rows: int) -> None:
    assert f"'b' ({rows})" in found({"a": 10, "b": rows})["classes-rare"]


@pytest.mark.parametrize("rows", [0, 1])
def test_a_class_that_cannot_be_split_is_refused(rows: int) -> None:
    with pytest.raises(DataError, match=f"d: every class needs at least 2 images. Got {rows} in 'b'"):
        found({"a": 10, "b": rows})


@pytest.mark.parametrize(("most", "told"), [(199, False), (200, True), (5000, True)])
def test_imbalance_is_told_from_twenty_times_on(most: int, told: bool) -> None:
    assert ("classes-imbalanced" in found({"a": most, "b": 10})) == told


ALIKE = {
    "case": ("Cat", "cat"),
    "spaces": ("a  b", " a b"),
    "accents": ("\u00e9", "e\u0301"),
    "width": ("\uff21", "A"),
    "sharp-s": ("stra\u00dfe", "STRASSE"),
    "no-break": ("a\u00a0b", "a b"),
}


@pytest.mark.parametrize(("first", "second"), ALIKE.values(), ids=ALIKE)
def test_labels_that_look_alike_are_listed(first: str, second: str) -> None:
    message = found({first: 9, second: 9, "other": 9})["labels-alike"]
    assert repr(first) in message
    assert repr(second) in message
    assert "other" not in message


@pytest.mark.parametrize(("first", "second"), [("cat", "cats"), ("a", "\u00e4"), ("1", "01"), ("a-b", "a_b")])
def test_labels_that_differ_need_no_word(first: str, second: str) -> None:
    assert "labels-alike" not in found({first: 9, second: 9})


@pytest.mark.parametrize("classes", [1, 11, 40])
def test_long_lists_are_cut(classes: int) -> None:
    counts = {"large": 9, **{f"rare{n:02d}": 2 for n in range(classes)}}
    message = found(counts)["classes-rare"]
    assert message.startswith(f"{classes} classes have fewer than 5")
    assert message.count("rare") == min(10, classes)
