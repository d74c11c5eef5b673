from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from automl.serving.table import UNSEEN, Column, Table, TableRule
from automl.serving.table_encoder import TableEncoder, check, compute
from automl.serving.texts import Texts

RULE = TableRule((
    Column("size", "number"), Column("new", "boolean"), Column("colour", "category", ("red", "blue")),
    Column("said", "text"), Column("day", "date"),
))  # fmt: skip
TABLE = Table(
    np.array([[1.5, 1, 0, 0], [np.nan, 0, UNSEEN, 86400], [-2, np.nan, np.nan, np.nan], [4, 1, 1, 1e9]]),
    (Texts.of(["good cat", "", "not good", "猫 cat cat"]),),
)
NUMBERS = {"kind": "numbers", "columns": [0, 1]}
LOOKUP = {"kind": "lookup", "columns": [2], "sizes": [2], "values": [[[0, 1, 2, None], [0.1, 0.2, 0.3, 0.4]]]}
ONEHOT = {"kind": "onehot", "columns": [2], "sizes": [2], "places": [[0, 1, -1, 2]], "width": 3}
EVERY = [
    {**NUMBERS, "finish": {"shift": [1, 0], "scale": [2, 1], "clip": 3, "fill": [0, 0.5], "flags": [0, 1]}},
    LOOKUP, ONEHOT,
    {"kind": "dates", "column": 3, "parts": ["year", "weekday", "day_sine"], "start": 0.0},
    {"kind": "text_size", "column": 0},
    {"kind": "words", "column": 0, "terms": ["cat", "not good"], "weights": [1.0, 2.0]},
    {"kind": "pairs", "columns": [0, 0], "others": [3, 1], "operations": ["divide", "add"]},
    {"kind": "relative", "column": 0, "by": {"column": 2, "size": 2}, "values": [1, 2, None, 3], "operation": "divide"},
    {"kind": "groups", "of": [{"column": 0, "edges": [0, 1]}, {"column": 2, "size": 2}], "keys": [2, 9],
     "values": [[0.1, 0.2, 0.3]]},
    {"kind": "numbers", "columns": [0], "finish": {"curves": [[[0, 1, 5], [-1, 0, 1]]]}},
]  # fmt: skip


def plan_of(*blocks: dict[str, Any], width: int) -> dict[str, Any]:
    return {"version": 1, "width": width, "names": [f"c{i}" for i in range(width)], "blocks": list(blocks)}


def computed(block: dict[str, Any], width: int) -> list[list[float]]:
    plan = json.loads(json.dumps(plan_of(block, width=width)))
    check(plan, RULE)
    return np.round(compute(plan, TABLE).astype(float), 4).tolist()


def test_numbers_are_copied_and_gaps_stay() -> None:
    np.testing.assert_array_equal(computed(NUMBERS, 2), [[1.5, 1], [np.nan, 0], [-2, np.nan], [4, 1]])


def test_finish_shifts_scales_clips_then_fills_and_marks_gaps() -> None:
    expected = [[1, 1, 0, 0], [0, 0, 1, 0], [-3, 0.5, 0, 1], [3, 1, 0, 0]]
    assert computed(EVERY[0], 4) == expected


def test_fill_takes_the_place_of_what_is_missing_and_is_not_scaled_again() -> None:
    block = {"kind": "numbers", "columns": [0], "finish": {"shift": [10], "scale": [3], "fill": [7]}}
    assert computed(block, 1)[1] == [7]


def test_curve_is_a_line_through_its_points_and_flat_beyond_them() -> None:
    np.testing.assert_array_equal(computed(EVERY[-1], 1), [[0.125], [np.nan], [-1], [0.75]])


def test_lookup_tells_known_unseen_and_missing_categories_apart() -> None:
    np.testing.assert_array_equal(computed(LOOKUP, 2), [[0, 0.1], [2, 0.3], [np.nan, 0.4], [1, 0.2]])


def test_onehot_has_a_one_at_the_place_of_each_category_or_nowhere() -> None:
    assert computed(ONEHOT, 3) == [[1, 0, 0], [0, 0, 0], [0, 0, 1], [0, 1, 0]]


def test_boolean_can_be_read_as_two_categories() -> None:
    block = {"kind": "lookup", "columns": [1], "sizes": [2], "values": [[[10, 11, 12, 13]]]}
    assert computed(block, 1) == [[11], [10], [13], [11]]


def test_blocks_stand_side_by_side_in_their_order() -> None:
    out = compute(plan_of(ONEHOT, NUMBERS, width=5), TABLE)
    np.testing.assert_array_equal(out[0], [1, 0, 0, 1.5, 1])


def test_rows_do_not_depend_on_the_rows_beside_them() -> None:
    plan = plan_of(*EVERY, width=21)
    whole = compute(plan, TABLE)
    for row in range(len(TABLE)):
        np.testing.assert_array_equal(compute(plan, TABLE[row : row + 1]), whole[row : row + 1])


def test_many_rows_in_batches_are_as_few_rows() -> None:
    plan, rows = plan_of(*EVERY, width=21), np.tile(np.arange(4), 15_000)
    out = compute(plan, TABLE[rows])
    np.testing.assert_array_equal(out, compute(plan, TABLE)[rows])
    assert (out.dtype, out.shape) == (np.float32, (60_000, 21))


def test_no_rows_give_no_rows() -> None:
    assert compute(plan_of(*EVERY, width=21), TABLE[:0]).shape == (0, 21)


def test_numbers_beyond_single_precision_are_cut_to_it() -> None:
    table = Table(np.array([[1e300], [-np.inf], [np.nan]]))
    largest = float(np.finfo(np.float32).max)
    block = {"kind": "numbers", "columns": [0]}
    np.testing.assert_array_equal(compute(plan_of(block, width=1), table).ravel(), [largest, -largest, np.nan])


def test_codes_beyond_the_categories_count_as_unseen() -> None:
    table = Table(np.array([[0, 0, code, 0] for code in (2.0, 1e18, -7.0, np.inf, -np.inf)]), TABLE.texts)
    np.testing.assert_array_equal(compute(plan_of(LOOKUP, width=2), table)[:, 0], 2)


def test_table_may_be_read_only() -> None:
    numbers = TABLE.numbers.copy()
    numbers.flags.writeable = False
    plan = plan_of(*EVERY, width=21)
    np.testing.assert_array_equal(compute(plan, Table(numbers, TABLE.texts)), compute(plan, TABLE))


def test_encoder_made_once_gives_what_compute_gives() -> None:
    encoder = TableEncoder(plan_of(*EVERY, width=21))
    np.testing.assert_array_equal(encoder.compute(TABLE), compute(plan_of(*EVERY, width=21), TABLE))
    assert (encoder.width, encoder.names[:2]) == (21, ["c0", "c1"])


def test_every_kind_of_block_passes_the_check() -> None:
    check(plan_of(*EVERY, width=21), RULE)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": 2}, "version must be 1"), ({"version": 1.0}, "version must be 1 .* Got 1.0"),
        ({"version": True}, "version must be 1 .* Got True"), ({"width": 3}, "names must be a list of 3"),
        ({"width": 0}, r"width must be a whole number in \[1"), ({"width": True}, "width must be"),
        ({"names": ["a", 1]}, "names must be texts"), ({"blocks": []}, "blocks must be a list"),
        ({"blocks": {}}, "blocks must be a list"), ({"blocks": [7]}, "blocks must be an object"),
        ({"blocks": [NUMBERS, NUMBERS]}, "width must be the sum over its blocks, 4. Got 2"),
    ],
    ids=["version", "version 1.0", "version true", "width", "no width", "boolean", "names", "no blocks", "no list",
         "no object", "sum"],
)  # fmt: skip
def test_malformed_plan_is_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        check({**plan_of(NUMBERS, width=2), **change}, RULE)


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({"kind": "pickle"}, "kind must be one of"), ({}, "kind must be one of"), ({"kind": []}, "kind must be one of"),
        ({**NUMBERS, "columns": [0, 4]}, "columns must be less than the 4 of the input. Got 4"),
        ({**NUMBERS, "columns": [0, -1]}, "columns must be whole numbers"),
        ({**NUMBERS, "columns": [0, 0.5]}, "columns must be whole numbers"),
        ({**NUMBERS, "columns": [0, "1"]}, "columns must be numbers"),
        ({**NUMBERS, "columns": [0, True]}, "columns must be numbers"),
        ({**NUMBERS, "finish": []}, "finish must be an object"),
        ({**NUMBERS, "finish": {"shift": [1]}}, "shift must be a list of 2"),
        ({**NUMBERS, "finish": {"scale": [1, float("inf")]}}, "scale must be finite"),
        ({**NUMBERS, "finish": {"scale": [1, float("nan")]}}, "scale must be finite"),
        ({**NUMBERS, "finish": {"fill": [1, None]}}, "fill must be numbers"),
        ({**NUMBERS, "finish": {"fill": [1, 10**400]}}, "fill must be numbers of double precision"),
        ({**NUMBERS, "finish": {"clip": -1}}, "clip must be a number in"),
        ({**NUMBERS, "finish": {"flags": [2]}}, "flags must be whole numbers"),
        ({**NUMBERS, "finish": {"curves": [[[0], [1]]]}}, "curves must be a list of 2"),
        ({**NUMBERS, "finish": {"curves": [[[1, 1], [0, 1]]] * 2}}, "points of curves must rise"),
        ({**LOOKUP, "columns": [0]}, "'size' must be category or boolean"),
        ({**LOOKUP, "sizes": [3]}, "values must be a list of 5"),
        ({**LOOKUP, "sizes": [1], "values": [[[1, 2, 3], [1, 2, 3]]]}, "'colour' has 2 categories. Got a block for 1"),
        ({**LOOKUP, "values": [[[1, 2, 3, float("nan")]] * 2]}, "values must be finite"),
        ({**LOOKUP, "values": [[]]}, "values must be a list"),
        ({**ONEHOT, "places": [[0, 1, 2, 3]]}, r"places must be whole numbers in \[-1, 2\]"),
        ({"kind": "dates", "column": 0, "parts": ["year", "day"], "start": 0}, "'size' must be date"),
        ({"kind": "dates", "column": 3, "parts": ["century"], "start": 0}, "parts must be one of"),
        ({"kind": "dates", "column": 3, "parts": ["year"], "start": None}, "start must be a number"),
        ({"kind": "text_size", "column": 1}, "columns must be less than the 1 of the input"),
        ({"kind": "words", "column": 0, "terms": ["a", "a"], "weights": [1, 1]}, "terms must be different"),
        ({"kind": "words", "column": 0, "terms": ["a"], "weights": [1, 1]}, "weights must be a list of 1"),
        ({**EVERY[6], "operations": ["add", "power"]}, "operations must be one of"),
        ({**EVERY[6], "others": [0]}, "others must be a list of 2"),
        ({**EVERY[7], "values": [1]}, "values must be a list of 4"), ({**EVERY[7], "by": 3}, "by must be an object"),
        ({**EVERY[7], "operation": "add"}, "operation must be one of"),
        ({**EVERY[8], "of": [{"column": 0, "edges": [1, 0]}]}, "edges must rise"),
        ({**EVERY[8], "of": [{"column": 2, "size": 2}] * 3}, "of must be one or two"),
        ({**EVERY[8], "keys": [9, 2]}, "keys must rise"), ({**EVERY[8], "keys": [-1, 2]}, "keys must be whole numbers"),
    ],
)  # fmt: skip
def test_malformed_block_is_refused_in_one_line(block: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        check(plan_of(block, width=2), RULE)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def spoiled(value: Any, rng: np.random.Generator) -> Any:
    """A JSON value with something in it exchanged, left out or put in twice."""
    wrong = [None, True, -1, 0, 1, 7, 10**9, 10**400, 1e308, 0.5, "", "x", [], {}, [1], float("nan"), float("inf")]
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = str(rng.choice(list(value)))
        if rng.random() < 0.1:
            return {name: each for name, each in value.items() if name != key}
        return {**value, key: spoiled(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        place = int(rng.integers(len(value)))
        middle = [value[place]] * 2 if rng.random() < 0.1 else [spoiled(value[place], rng)]
        return [*value[:place], *middle, *value[place + 1 :]]
    return wrong[int(rng.integers(len(wrong)))]


@pytest.mark.parametrize("seed", range(4))
def test_spoiled_plan_is_refused_or_can_be_computed(seed: int) -> None:
    rng, odd = np.random.default_rng(seed), np.array([np.nan, np.inf, -np.inf, -1, 0, 1, 1.5, 1e300, -1e300])
    table = Table(rng.choice(odd, (40, 4)), (Texts.of(["a b", "", "\x00", "cat"] * 10),))
    for _ in range(250):
        plan = spoiled(plan_of(*EVERY, width=21), rng)
        try:
            check(plan, RULE)
        except ValueError:
            continue
        assert compute(plan, table).shape == (40, 21)


def test_plan_of_another_rule_is_refused_when_the_column_has_changed() -> None:
    other = TableRule((Column("size", "number"), Column("new", "boolean"), Column("colour", "number")))
    with pytest.raises(ValueError, match=r"'colour' must be category or boolean for its block\. Got 'number'"):
        check(plan_of(LOOKUP, width=2), other)
