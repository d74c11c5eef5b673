"""Labels of every kind become codes, or are refused with how many are wrong."""

from __future__ import annotations

import numpy as np
import pytest

from automl.data.labels import encode, encode_with
from automl.errors import DataError


@pytest.mark.parametrize(
    ("y", "classes", "codes", "labels"),
    [
        (["b", "a", "b"], None, [1, 0, 1], ("a", "b")),
        ([10, 9, 10], None, [1, 0, 1], ("9", "10")),
        ([True, False, True], None, [1, 0, 1], ("0", "1")),
        ([1.0, 0.0, 1.0], None, [1, 0, 1], ("0", "1")),
        ([[1], [0], [1]], None, [1, 0, 1], ("0", "1")),
        ([1, 0, 1], ["no", "yes"], [1, 0, 1], ("no", "yes")),
        (["yes", "no", "yes"], ["yes", "no"], [0, 1, 0], ("yes", "no")),
        (np.array([b"b", b"a", b"b"]), None, [1, 0, 1], ("a", "b")),
        (np.array(["b", "a", "b"], object), None, [1, 0, 1], ("a", "b")),
        (np.array([2, 5, 2], object), None, [0, 1, 0], ("2", "5")),
        (np.array([1, 0, 1], np.uint8), np.array(["x", "y"]), [1, 0, 1], ("x", "y")),
    ],
    ids=[
        "texts",
        "numbers",
        "bool",
        "whole-floats",
        "column",
        "coded",
        "named",
        "bytes",
        "objects",
        "int-objects",
        "u8",
    ],
)
def test_labels_become_codes(y: object, classes: object, codes: list[int], labels: tuple[str, ...]) -> None:
    found = encode(y, classes, rows=3, name="y")  # type: ignore[arg-type]

    assert (found.codes.tolist(), found.classes, found.findings) == (codes, labels, ())
    assert found.codes.dtype == np.int64


@pytest.mark.parametrize(
    ("y", "classes", "message"),
    [
        ([0, 1], None, "one label per image is needed. Got 2 labels for 3 images"),
        ([[0, 1], [1, 0], [0, 1]], None, r"labels need shape \(n,\). Got \(3, 2\)"),
        ([0.0, np.nan, np.nan], None, "every image needs a label. Got 2 missing of 3"),
        (["a", " ", "b"], None, "every image needs a label. Got 1 missing of 3"),
        (np.array(["a", None, float("nan")], object), None, "Got 2 missing of 3"),
        (np.array(["a", 1, "b"], object), None, "all be texts or all whole numbers. Got int, str"),
        ([0.0, 0.5, 1.0], None, "whole numbers or texts. Got 1 fractions such as 0.5"),
        ([1j, 0, 1], None, "whole numbers or texts. Got dtype complex128"),
        ([0, 1, 7], ["a", "b"], "codes must be in 0 to 1, as there are 2 classes. Got 1 others such as 7"),
        ([0, -1, 1], ["a", "b"], "Got 1 others such as -1"),
        (["a", "b", "c"], ["a", "b"], "labels must be in classes. Got 'c'"),
        ([0, 1, 2], ["a", "a", "b"], "classes must differ. Got 'a' more than once"),
    ],
    ids=[
        "few",
        "one-hot",
        "nan",
        "blank",
        "none",
        "mixed",
        "fraction",
        "complex",
        "beyond",
        "negative",
        "strange",
        "twice",
    ],
)
def test_labels_that_say_nothing_are_refused(y: object, classes: list[str] | None, message: str) -> None:
    with pytest.raises(DataError, match=f"d.npz: y: .*{message}"):
        encode(y, classes, rows=3, name="d.npz: y")


@pytest.mark.parametrize("y", [[0, 2, 0], ["a", "c", "a"]], ids=["codes", "texts"])
def test_classes_without_rows_are_left_out_and_told(y: object) -> None:
    found = encode(y, ["a", "b", "c"], rows=3, name="y")

    assert (found.codes.tolist(), found.classes) == ([0, 1, 0], ("a", "c"))
    assert "1 classes have no row and cannot be learned: 'b'" in found.findings[0].message


@pytest.mark.parametrize(("y", "declared"), [(["c", "a"], None), ([1, 0], ["a", "c"])], ids=["texts", "own-codes"])
def test_codes_of_test_labels_are_those_of_training(y: object, declared: list[str] | None) -> None:
    assert encode_with(y, declared, known=("a", "b", "c"), rows=2, name="y").tolist() == [2, 0]


def test_many_unknown_labels_are_counted() -> None:
    with pytest.raises(DataError, match=r"Got '0', '1', .* and 2 more"):
        encode_with(list(range(12)), None, known=("a",), rows=12, name="y")
