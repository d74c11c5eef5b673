"""What stands beside the features is read along with them: targets, weights, groups and times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.core.task import Target
from automl.data.roles import Roles
from automl.data.table_sides import SideArrays, Sides, number_target
from automl.errors import DataError
from automl.serving.table_cells import Chunk

ROWS = 12
TABLE: dict[str, list[str]] = {
    "x": [str(row / 7) for row in range(ROWS)],
    "label": ["no", "yes", "no"] * 4,
    "price": [f"{row}.5" for row in range(ROWS)],
    "w": ["1", "2", "3", "0"] * 3,
    "house": ["b", "a", "c"] * 4,
    "day": [f"2024-01-{12 - row:02d}" for row in range(ROWS)],
}


def sides(kind: Target = "classes", size: int = ROWS, table: dict[str, list[str]] = TABLE, **roles: Any) -> SideArrays:
    """Return the arrays beside the features, read in chunks of so many rows."""
    made = Sides(Roles(**{"target": "label", **roles}), "d.csv", kind)
    for _ in made.watched(chunks(table, size), ["x"]):
        pass
    return made.finish()


def chunks(table: dict[str, list[str]], size: int) -> list[Chunk]:
    """Return the rows of a table in chunks."""
    return [{name: cells[start : start + size] for name, cells in table.items()} for start in range(0, ROWS, size)]


def changed(name: str, row: int, text: str) -> dict[str, list[str]]:
    """Return the table with another cell."""
    cells = list(TABLE[name])
    cells[row] = text
    return {**TABLE, name: cells}


def test_labels_are_codes_and_nothing_else_is_there() -> None:
    found = sides()
    assert (found.y.tolist(), found.classes) == ([0, 1, 0] * 4, ("no", "yes"))
    assert (found.weights, found.groups, found.findings) == (None, None, ())


def test_a_number_is_a_target_without_classes() -> None:
    found = sides("number", target="price")
    assert (found.y.dtype, found.y.tolist(), found.classes) == (np.float64, [row + 0.5 for row in range(ROWS)], ())


def test_weights_of_zero_are_allowed_and_the_mean_is_one() -> None:
    weights = sides(sample_weight="w").weights
    assert weights is not None
    assert (weights[:4] * 1.5).tolist() == pytest.approx([1, 2, 3, 0])


@pytest.mark.parametrize(
    ("roles", "groups"),
    [({"group": "house"}, [0, 1, 2] * 4), ({"split_time": "day"}, list(range(11, -1, -1))), ({}, None)],
    ids=["groups", "times", "neither"],
)
def test_groups_are_codes_and_times_are_ranks(roles: dict[str, str], groups: list[int] | None) -> None:
    found = sides(**roles).groups
    assert (None if found is None else found.tolist()) == groups
    assert found is None or found.dtype == np.int64


def test_the_positive_label_is_the_last() -> None:
    found = sides(positive="no")
    assert (found.classes, found.y.tolist()) == (("yes", "no"), [1, 0, 1] * 4)


@pytest.mark.parametrize("size", [1, 5, 7, 100])
@pytest.mark.parametrize("order", ["house", "day"], ids=["group", "time"])
def test_the_sizes_of_chunks_make_no_difference(size: int, order: str) -> None:
    roles = {"sample_weight": "w", "group" if order == "house" else "split_time": order}
    for found, wanted in zip(sides(size=size, **roles), sides(**roles), strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("features", [("x",), ("x", "day"), ("day", "x"), ()], ids=["one", "two", "swapped", "none"])
def test_only_features_are_handed_on(features: tuple[str, ...]) -> None:
    made = Sides(Roles(target="label", split_time="day"), "d.csv", "classes")
    for chunk in made.watched(chunks(TABLE, 5), features):
        assert set(chunk) == set(features)
        assert all(cells == TABLE[name][: len(cells)] for name, cells in chunk.items() if cells[0] == TABLE[name][0])


def test_rows_are_taken_in_only_as_they_pass() -> None:
    made = Sides(Roles(target="label"), "d.csv", "classes")
    passing = made.watched(chunks(TABLE, 4), ["x"])
    next(passing)
    next(passing)
    assert len(made.finish().y) == 8


REFUSED: dict[str, tuple[str, int, str, dict[str, Any], str]] = {
    "label": ("label", 9, "", {}, "column 'label': every row needs a label. Got 1 missing of 12, the first in row 10"),
    "weight-word": ("w", 10, "much", {"sample_weight": "w"}, "--sample-weight 'w': d.csv: .* Got 'much' in row 11"),
    "weight-missing": ("w", 7, "NA", {"sample_weight": "w"}, "Got 1 missing or infinite of 12, the first in row 8"),
    "weight-negative": ("w", 8, "-3", {"sample_weight": "w"}, "weights must be 0 or more. Got -3 in row 9"),
    "weight-infinite": ("w", 8, "inf", {"sample_weight": "w"}, "1 missing or infinite of 12, the first in row 9"),
    "time-word": ("day", 11, "later", {"split_time": "day"}, "--split-time 'day': d.csv: .* Got 'later' in row 12"),
    "time-missing": ("day", 6, "", {"split_time": "day"}, "Got 1 missing or infinite of 12, the first in row 7"),
}


@pytest.mark.parametrize(("name", "row", "text", "roles", "message"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("size", [4, ROWS])
def test_a_cell_that_cannot_be_is_named_with_its_row_in_the_table(
    size: int, name: str, row: int, text: str, roles: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        sides(size=size, table=changed(name, row, text), **roles)


@pytest.mark.parametrize(("row", "text"), [(0, "1 2"), (5, "five"), (11, "2024-01-01")])
def test_a_target_that_is_no_number_is_named_with_its_row(row: int, text: str) -> None:
    with pytest.raises(DataError, match=rf"column 'price': .* Got '{text}' in row {row + 1}. .*tabular-clf"):
        sides("number", 5, changed("price", row, text), target="price")


def test_a_long_cell_is_shown_in_part() -> None:
    with pytest.raises(DataError, match=f"Got '{'long ' * 12}' in row 3"):
        sides("number", table=changed("price", 2, "long " * 500), target="price")


def test_a_positive_label_needs_classes() -> None:
    with pytest.raises(DataError, match=r"--positive '1': it is for two classes. Got a number"):
        sides("number", target="price", positive="1")


@pytest.mark.parametrize("missing", [1, 5])
def test_rows_without_a_group_are_one_group_and_told(missing: int) -> None:
    table = {**TABLE, "house": [""] * missing + TABLE["house"][missing:]}
    found = sides(table=table, group="house")
    assert found.groups is not None
    assert len(set(found.groups[:missing].tolist())) == 1
    assert [finding.code for finding in found.findings] == ["groups-missing"]
    assert found.findings[0].message.startswith(f"--group house: {missing} of 12 rows have no group")


def test_what_is_told_about_labels_comes_before_what_is_told_about_groups() -> None:
    table = {**TABLE, "house": ["", *TABLE["house"][1:]], "label": [" no", *TABLE["label"][1:]]}
    assert [finding.code for finding in sides(table=table, group="house").findings] == [
        "labels-trimmed",
        "groups-missing",
    ]


def test_a_target_of_a_test_table_is_read_as_in_training() -> None:
    column = number_target("t.csv", "price")
    for chunk in chunks(TABLE, 5):
        column.add(chunk["price"])
    assert column.finish().tolist() == sides("number", target="price").y.tolist()
