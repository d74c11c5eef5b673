"""Laws of encoding: any plan over any table gives numbers row by row, and any damaged plan one line of refusal."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from automl.serving.table import UNSEEN, Column, Table, TableRule
from automl.serving.table_dates import PARTS
from automl.serving.table_encoder import TableEncoder, check, compute
from automl.serving.texts import Texts

LABELS = ("red", "green", "blue")
RULE = TableRule((
    Column("size", "number"), Column("said", "text"), Column("new", "boolean"), Column("colour", "category", LABELS),
    Column("day", "date"), Column("more", "text"),
))  # fmt: skip
WORDS = ("good", "bad", "猫", "not", "Ünï", "42")
EXTREMES = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e300, -1e300, 1e-300, UNSEEN, 2.0**60)
SEEDS = range(6)
Json = dict[str, Any]


def table_of(seed: int, rows: int = 30) -> Table:
    """Return rows as `RULE` reads them, a tenth of the numbers missing."""
    rng = np.random.default_rng(seed)
    columns = [
        rng.normal(0, 10, rows),
        rng.integers(0, 2, rows),
        rng.integers(-1, 3, rows),
        rng.uniform(-1e9, 2e9, rows),
    ]
    numbers = np.stack(columns, axis=1).astype(np.float64)
    numbers[rng.random(numbers.shape) < 0.1] = np.nan
    texts = [[" ".join(rng.choice(WORDS, rng.integers(0, 6))) for _ in range(rows)] for _ in range(2)]
    return Table(numbers, tuple(map(Texts.of, texts)))


def extreme_table(seed: int, rows: int = 30) -> Table:
    """Return rows of numbers that nobody should have."""
    numbers = np.random.default_rng(seed).choice(EXTREMES, (rows, 4))
    return Table(numbers, table_of(seed, rows).texts)


def finish_of(rng: np.random.Generator, width: int) -> Json:
    """Return a random finish for a block of this width."""
    steps: Json = {
        "curves": [[np.sort(rng.normal(size=4)).tolist(), rng.normal(size=4).tolist()] for _ in range(width)],
        "shift": rng.normal(size=width).tolist(), "scale": rng.normal(size=width).tolist(),
        "clip": float(rng.uniform(1, 5)), "fill": rng.normal(size=width).tolist(),
        "flags": np.flatnonzero(rng.random(width) < 0.5).tolist() or [0],
    }  # fmt: skip
    return {name: step for name, step in steps.items() if rng.random() < 0.5}


def coder_of(rng: np.random.Generator) -> Json:
    by_code, by_number = {"column": 2, "size": 3}, {"column": 0, "edges": np.sort(rng.normal(0, 9, 3)).tolist()}
    return by_code if rng.random() < 0.5 else by_number


def gaps(rng: np.random.Generator, count: int) -> list[float | None]:
    return [None if rng.random() < 0.2 else float(value) for value in rng.normal(size=count)]


Maker = Callable[[np.random.Generator], tuple[Json, int]]
BLOCKS: dict[str, Maker] = {
    "numbers": lambda rng: ({"columns": [int(c) for c in rng.integers(0, 4, 3)]}, 3),
    "lookup": lambda rng: ({"columns": [2, 1], "sizes": [3, 2], "values": [[gaps(rng, 5)] * 2, [gaps(rng, 4)] * 2]}, 4),
    "onehot": lambda rng: ({"columns": [2], "sizes": [3], "places": [rng.integers(-1, 4, 5).tolist()], "width": 4}, 4),
    "dates": lambda rng: ({"column": 3, "parts": rng.permutation(PARTS).tolist(), "start": rng.random() * 1e9}, 13),
    "text_size": lambda rng: ({"column": int(rng.integers(0, 2))}, 2),
    "words": lambda rng: ({"column": 1, "terms": ["good", "not good", "猫"], "weights": rng.random(3).tolist()}, 3),
    "pairs": lambda rng: ({"columns": [0, 3], "others": [1, 0], "operations": ["divide", "multiply"]}, 2),
    "relative": lambda rng: ({"column": 0, "by": {"column": 2, "size": 3}, "values": gaps(rng, 5),
                              "operation": "divide"}, 1),
    "groups": lambda rng: ({"of": [coder_of(rng), coder_of(rng)], "keys": [0, 3, 7, 12],
                            "values": [gaps(rng, 5), gaps(rng, 5)]}, 2),
}  # fmt: skip


def plan_of(seed: int) -> Json:
    """Return a plan with a block of every kind, each with a random finish, in random order."""
    rng = np.random.default_rng(seed)
    blocks, width = [], 0
    for kind in rng.permutation(list(BLOCKS)).tolist():
        block, columns = BLOCKS[kind](rng)
        finish = finish_of(rng, columns)
        blocks.append({"kind": kind, **block, "finish": finish})
        width += columns + len(finish.get("flags", ()))
    return {"version": 1, "width": width, "names": [f"c{place}" for place in range(width)], "blocks": blocks}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_is_the_same_after_a_way_through_json(seed: int) -> None:
    plan = plan_of(seed)
    check(plan, RULE)
    found = compute(json.loads(json.dumps(plan)), table_of(seed))
    np.testing.assert_array_equal(found, compute(plan, table_of(seed)))


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_may_come_in_any_order_and_any_number(seed: int) -> None:
    encoder, table = TableEncoder(plan_of(seed)), table_of(seed)
    order = np.random.default_rng(seed).integers(0, 30, 50)
    np.testing.assert_array_equal(encoder.compute(table[order]), encoder.compute(table)[order])


@pytest.mark.parametrize("seed", SEEDS)
def test_tables_may_be_joined_before_or_after(seed: int) -> None:
    encoder, parts = TableEncoder(plan_of(seed)), [table_of(seed), table_of(seed + 50)[:0], table_of(seed + 99, 5)]
    found = np.concatenate([encoder.compute(part) for part in parts])
    np.testing.assert_array_equal(encoder.compute(Table.joined(parts)), found)


@pytest.mark.parametrize("seed", SEEDS)
def test_blocks_do_not_know_of_each_other(seed: int) -> None:
    plan, table = plan_of(seed), table_of(seed)
    whole, start = compute(plan, table), 0
    for block in plan["blocks"]:
        width = BLOCKS[block["kind"]](np.random.default_rng(0))[1] + len(block["finish"].get("flags", ()))
        alone = {"version": 1, "width": width, "names": ["c"] * width, "blocks": [block]}
        np.testing.assert_array_equal(compute(alone, table), whole[:, start : start + width])
        start += width


@pytest.mark.parametrize("seed", SEEDS)
def test_no_number_is_too_strange(seed: int) -> None:
    out = compute(plan_of(seed), extreme_table(seed))
    assert out.dtype == np.float32
    assert not np.isinf(out).any()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_table_is_left_as_it_was(seed: int) -> None:
    table = table_of(seed)
    before = table.numbers.copy()
    compute(plan_of(seed), table)
    np.testing.assert_array_equal(table.numbers, before)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", BLOCKS)
def test_a_filled_block_has_no_gaps(kind: str, seed: int) -> None:
    block, width = BLOCKS[kind](np.random.default_rng(seed))
    block |= {"kind": kind, "finish": {"fill": [-7.5] * width, "flags": list(range(width))}}
    plan = {"version": 1, "width": 2 * width, "names": ["c"] * 2 * width, "blocks": [block]}
    out = compute(plan, table_of(seed))
    assert np.isfinite(out).all()
    np.testing.assert_array_equal(out[:, :width] == -7.5, out[:, width:] == 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_category_is_what_its_place_in_the_plan_says(seed: int) -> None:
    rng, table = np.random.default_rng(seed), table_of(seed)
    values = rng.normal(size=5).tolist()
    plan = {"version": 1, "width": 1, "names": ["c"],
            "blocks": [{"kind": "lookup", "columns": [2], "sizes": [3], "values": [[values]]}]}  # fmt: skip
    wanted = [
        values[4] if code != code else values[3] if code < 0 else values[int(code)] for code in table.numbers[:, 2]
    ]
    np.testing.assert_array_equal(compute(plan, table).ravel(), np.array(wanted, np.float32))


JUNK = (None, True, -1, 0, 1, 7, 10**6, 10**400, 0.5, 1e308, float("nan"), float("inf"), "", "x" * 999, [], [[]], {},
        [0], [None], ["a"], {"a": 1}, [1e999], [10**400], [True])  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every place in a JSON value, as a container with a key."""
    items = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [(value, key) for key, _ in items] + [place for _, inner in items for place in places(inner)]


def damaged(plan: Json, rng: np.random.Generator) -> Json:
    """Return a plan in which one value is another one, gone, or there twice."""
    plan = copy.deepcopy(plan)
    found = places(plan)
    container, key = found[rng.integers(len(found))]
    how = rng.integers(4)
    if how == 0:
        del container[key]
    elif how == 1 and isinstance(container, list):
        container.append(container[key])
    else:
        container[key] = copy.deepcopy(JUNK[rng.integers(len(JUNK))])
    return plan


def refusal(plan: Json) -> str:
    """Return why a plan is refused; empty if it can be computed, and then it gives numbers of the promised width."""
    try:
        check(plan, RULE)
    except ValueError as error:
        return str(error)
    out = compute(plan, extreme_table(0, 8))
    assert (out.shape, out.dtype) == ((8, plan["width"]), np.float32)
    assert not np.isinf(out).any()
    return ""


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_plan_is_refused_in_one_line_or_gives_numbers(seed: int) -> None:
    rng, plan = np.random.default_rng(seed), plan_of(seed)
    for _ in range(60):
        message = refusal(damaged(plan, rng))
        assert not message or (message.startswith("plan: ") and "Got " in message)
        assert "\n" not in message
        assert len(message) < 300


OTHER_RULES = {
    "fewer-columns": TableRule(RULE.columns[:3]),
    "more-categories": TableRule(
        (*RULE.columns[:3], Column("colour", "category", (*LABELS, "pink")), *RULE.columns[4:])
    ),
    "no-date": TableRule((*RULE.columns[:4], Column("day", "number"), RULE.columns[5])),
    "one-text": TableRule(RULE.columns[:5]),
    "turned": TableRule(RULE.columns[::-1]),
}


@pytest.mark.parametrize("rule", OTHER_RULES.values(), ids=OTHER_RULES)
def test_a_plan_for_another_table_is_refused(rule: TableRule) -> None:
    with pytest.raises(ValueError, match=r"^plan: column.* Got "):
        check(plan_of(0), rule)
