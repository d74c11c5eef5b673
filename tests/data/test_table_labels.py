"""Labels of a column become classes in a stated order."""

from __future__ import annotations

import numpy as np
import pytest

from automl.data.table_labels import LabelColumn, Labels
from automl.errors import DataError
from automl.serving.table_cells import Cells


def column(*chunks: Cells) -> LabelColumn:
    labels = LabelColumn("d.csv", "outcome")
    for chunk in chunks:
        labels.add(chunk)
    return labels


def codes(labels: Labels) -> list[str]:
    return [finding.code for finding in labels.findings]


ORDERS = {
    "text": (["b", "a", "c"], ("a", "b", "c")),
    "numbers": (["10", "9", "-1"], ("-1", "9", "10")),
    "mixed": (["10", "9", "a"], ("10", "9", "a")),
    "equal-numbers": (["1.0", "1", "0", "0.00"], ("0", "1")),
    "as-written": (["2.50", "3"], ("2.50", "3")),
    "leading-zeros": (["007", "7"], ("007", "7")),
    "spaces": ([" a", "a ", "a"], ("a",)),
    "case": (["A", "a"], ("A", "a")),
    "signs": (["+", "-"], ("+", "-")),
    "truth": (["True", "False"], ("False", "True")),
    "long-numbers": (
        ["12345678901234567890", "12345678901234567891"],
        ("12345678901234567890", "12345678901234567891"),
    ),
    "exponents": (["1e2", "100", "5"], ("5", "100")),
    "unicode-digits": (["٣", "3"], ("3", "٣")),
    "underscores": (["1_0", "10"], ("10", "1_0")),
}


@pytest.mark.parametrize(("texts", "classes"), ORDERS.values(), ids=ORDERS)
def test_labels_are_sorted_and_equal_ones_are_one(texts: list[str], classes: tuple[str, ...]) -> None:
    assert column(texts).finish().classes == classes


def test_chunks_make_no_difference() -> None:
    parts, whole = column(["b", "a"], ["c", "a"]).finish(), column(["b", "a", "c", "a"]).finish()
    assert parts.codes.tolist() == whole.codes.tolist() == [1, 0, 2, 0]


def test_numbers_from_memory_are_the_labels_that_a_file_would_have() -> None:
    assert column(np.array([1.0, 0.0, 2.5])).finish().classes == ("0", "1", "2.5")


@pytest.mark.parametrize("positive", ["a", " a "])
def test_the_positive_label_comes_last(positive: str) -> None:
    labels = column(["a", "b", "a"]).finish(positive)
    assert (labels.classes, labels.codes.tolist()) == (("b", "a"), [1, 0, 1])


def test_a_positive_number_is_found_however_it_is_written() -> None:
    assert column(["0", "1"]).finish("0.0").classes == ("1", "0")


@pytest.mark.parametrize(
    ("texts", "positive", "message"),
    [
        (["yes", "no"], "yse", r"--positive 'yse': d.csv: column 'outcome' has no such label. Did you mean 'yes'\?"),
        (["a", "b", "c"], "b", "--positive 'b': two classes are needed. Got 3"),
    ],
    ids=["unknown", "three-classes"],
)
def test_a_positive_label_must_be_one_of_two(texts: list[str], positive: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        column(texts).finish(positive)


@pytest.mark.parametrize("missing", ["", "  ", "NA", "nan", "NaN", "null", "?", "N/A", "<NA>"])
def test_missing_labels_are_counted(missing: str) -> None:
    with pytest.raises(DataError, match=r"every row needs a label. Got 2 missing of 4, the first in row 2"):
        column(["a", missing], [missing, "b"]).finish()


def test_missing_numbers_are_missing_labels() -> None:
    with pytest.raises(DataError, match="Got 1 missing of 3, the first in row 3"):
        column(np.array([1.0, 0.0, np.nan])).finish()


def test_none_is_a_class_and_told() -> None:
    labels = column(["None", "scratch"]).finish()
    assert (labels.classes, codes(labels)) == (("None", "scratch"), ["label-none"])


def test_spaces_around_labels_are_told() -> None:
    assert codes(column([" a", "b"]).finish()) == ["labels-trimmed"]


def test_labels_without_oddities_need_no_word() -> None:
    assert codes(column(["a", "b"]).finish()) == []


@pytest.mark.parametrize(
    ("texts", "known", "found"),
    [
        (["b", "a"], ("a", "b"), [1, 0]),
        (["1.0", "0"], ("0", "1"), [1, 0]),
        (["false", "true"], ("False", "True"), [0, 1]),
        ([" a"], ("a", "b"), [0]),
    ],
    ids=["same", "numbers", "truth", "spaces"],
)
def test_test_labels_are_found_among_those_of_training(
    texts: list[str], known: tuple[str, ...], found: list[int]
) -> None:
    assert column(texts).among(known).tolist() == found


@pytest.mark.parametrize("strange", ["c", "A", "2"])
def test_a_label_that_training_did_not_have_is_refused(strange: str) -> None:
    with pytest.raises(DataError, match=f"labels must be among the classes of training .'a', 'b'.. Got '{strange}'"):
        column(["a", strange]).among(("a", "b"))


def test_groups_are_numbered_as_they_come_and_may_be_missing() -> None:
    groups = column(["h2", "", "h1", "h2"]).groups()
    assert (groups.codes.tolist(), groups.classes) == ([0, 1, 2, 0], ("h2", "", "h1"))


def test_groups_are_compared_as_labels_are() -> None:
    assert column(["h1", "h1 ", "1", "1.0", "", " ", "NA"]).groups().codes.tolist() == [0, 0, 1, 1, 2, 2, 2]
