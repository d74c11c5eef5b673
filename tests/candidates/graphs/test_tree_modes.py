from __future__ import annotations

import dataclasses

import numpy as np
import onnxruntime
import pytest

from automl.candidates.graphs.onnx_graphs import Trees, tree_mean

NAN = np.nan
STUMP = Trees(
    tree=np.zeros(3, int),
    column=np.array([0, -1, -1]),
    threshold=np.array([2.0, 0, 0]),
    left=np.array([1, 0, 0]),
    right=np.array([2, 0, 0]),
    leaf=np.array([1, 2]),
    target=np.array([0, 0]),
    weight=np.array([-1.0, 1.0]),
)


def answers(trees: Trees, *values: float) -> list[float]:
    session = onnxruntime.InferenceSession(tree_mean(trees, 1, 1), providers=["CPUExecutionProvider"])
    found = session.run(None, {"input": np.array(values, np.float32).reshape(-1, 1)})[0]
    return [float(value) for value in found[:, 0]]


def stump(mode: str, *, threshold: float = 2.0, missing: bool = False) -> Trees:
    return dataclasses.replace(
        STUMP,
        mode=np.array([mode, "BRANCH_LEQ", "BRANCH_LEQ"]),
        threshold=np.array([threshold, 0, 0]),
        missing_left=np.array([missing, False, False]),
    )


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("BRANCH_LEQ", [-1, -1, 1]), ("BRANCH_LT", [-1, 1, 1]), ("BRANCH_EQ", [1, -1, 1])],
)
def test_a_node_tests_what_its_mode_says(mode: str, expected: list[float]) -> None:
    assert answers(stump(mode), 1.0, 2.0, 3.0) == expected


@pytest.mark.parametrize("mode", ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_EQ"])
@pytest.mark.parametrize(("missing", "expected"), [(True, -1.0), (False, 1.0)], ids=["left", "right"])
def test_a_missing_value_goes_where_the_node_sends_it(mode: str, missing: bool, expected: float) -> None:
    assert answers(stump(mode, missing=missing), NAN) == [expected]


def test_without_directions_missing_values_go_right() -> None:
    assert answers(STUMP, NAN, 1.0) == [1.0, -1.0]


@pytest.mark.parametrize("threshold", [0.1, 0.7, 1 / 3, -0.1], ids=str)
def test_below_is_decided_for_float32_as_in_float64(threshold: float) -> None:
    near = np.float32(threshold)
    values = [np.nextafter(near, np.float32(-9)), near, np.nextafter(near, np.float32(9))]
    expected = [-1.0 if float(value) < threshold else 1.0 for value in values]
    assert answers(stump("BRANCH_LT", threshold=threshold), *map(float, values)) == expected


def test_a_chain_of_equalities_shares_its_left_node() -> None:
    """Categories 1, 3 and missing go left together."""
    trees = Trees(
        tree=np.zeros(4, int), column=np.array([0, 0, -1, -1]), threshold=np.array([1.0, 3.0, 0, 0]),
        left=np.array([2, 2, 0, 0]), right=np.array([1, 3, 0, 0]), leaf=np.array([2, 3]), target=np.array([0, 0]),
        weight=np.array([-1.0, 1.0]), mode=np.full(4, "BRANCH_EQ"), missing_left=np.array([True, True, False, False]),
    )  # fmt: skip
    assert answers(trees, 0, 1, 2, 3, 64, 3.5, NAN) == [1, -1, 1, -1, 1, 1, -1]


def test_an_equality_with_what_no_float32_is_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a category must be a float32. Got \[0.1\]"):
        tree_mean(stump("BRANCH_EQ", threshold=0.1), 1, 1)
