from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.candidates.tabular.encoder_options import EncoderOptions, FeatureOptions
from automl.candidates.tabular.encoding_blocks import FittedBlock, plan_of
from automl.candidates.tabular.encoding_features import engineered
from automl.candidates.tabular.encoding_rows import Learned
from automl.candidates.tabular.encoding_terms import Arithmetic, Grouping, OfGroup, ShareOf, TargetOf
from automl.core.data import DataSpec
from automl.serving.table import Column, Table, TableRule
from automl.serving.table_encoder import block_of, check, compute
from automl.testing.context import ArrayData

ROWS = 600
RULE = TableRule((
    Column("price", "number"), Column("area", "number"), Column("town", "category", tuple("abcdef")),
    Column("old", "boolean"), Column("begin", "date"), Column("end", "date"),
))  # fmt: skip
TOWN = Grouping("town", {"column": 2, "size": 6})
OLD = Grouping("old", {"column": 3, "size": 2})


def learned_of(name: str, seed: int = 0) -> Learned:
    rng = np.random.default_rng(seed)
    price, area = np.exp(rng.normal(0, 1, (2, ROWS)))
    town, old = rng.integers(0, 6, ROWS), rng.integers(0, 2, ROWS)
    begin = 1e9 + 1e8 * rng.random(ROWS)
    price *= 1 + 20 * (name == "group") * town
    end = begin + 1e5 * rng.random(ROWS)
    price[:5] = np.nan
    numbers = np.stack([price, area, town, old, begin, end], axis=1)
    y = {
        "ratio": np.nan_to_num(price / area), "duration": end - begin, "noise": rng.normal(0, 1, ROWS),
        "cross": (town % 2 == old) + rng.normal(0, 0.1, ROWS),
        "group": np.nan_to_num(price - np.array([np.nanmean(price[town == t]) for t in range(6)])[town]),
    }[name]  # fmt: skip
    spec = DataSpec(name, "table", ROWS, (6,), (), (), name, RULE.to_json())
    return Learned.of(ArrayData(Table(numbers), y, spec), np.arange(ROWS), 0)


def names_of(learned: Learned, *, most: int = 5, **wanted: Any) -> list[str]:
    blocks = engineered(learned, EncoderOptions(features=FeatureOptions(most=most, **wanted)))
    return [name for block in blocks for name in block.names]


def values_of(block: FittedBlock, learned: Learned) -> np.ndarray:
    return np.asarray(block_of(block.block).values(learned.X))


@pytest.mark.parametrize(
    ("target", "wanted", "name"),
    [
        ("ratio", {}, "price ÷ area"), ("duration", {}, "begin − end"),
        ("cross", {"crosses": True}, "target by town and old"), ("group", {"pairs": False}, "price − its mean by town"),
    ],
    ids=["ratio", "duration", "cross", "group"],
)  # fmt: skip
def test_what_makes_the_target_is_found(target: str, wanted: dict[str, Any], name: str) -> None:
    assert name in names_of(learned_of(target), **wanted)


def test_nothing_is_made_unless_asked_for() -> None:
    assert engineered(learned_of("ratio"), EncoderOptions()) == []


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_columns_than_asked_for(most: int) -> None:
    assert len(names_of(learned_of("group"), most=most, targets=True, crosses=True)) == most


def test_kinds_that_are_switched_off_are_not_made() -> None:
    found = names_of(learned_of("ratio"), most=50, pairs=False, targets=True, crosses=True)
    assert not [name for name in found if " ÷ area" in name or " × " in name]
    assert names_of(learned_of("cross"), pairs=False, aggregates=False, targets=False) == []


def test_terms_that_say_the_same_are_kept_once() -> None:
    found = names_of(learned_of("ratio"), most=50)
    assert not {"price ÷ area", "area ÷ price"} <= set(found)


def test_arithmetic_is_one_block() -> None:
    blocks = engineered(learned_of("ratio"), EncoderOptions(features=FeatureOptions(most=8, aggregates=False)))
    assert len(blocks) == 1


@pytest.mark.parametrize("missing", ["keep", "impute"])
@pytest.mark.parametrize("numbers", ["raw", "standard"])
def test_blocks_make_a_valid_plan(numbers: Any, missing: Any) -> None:
    learned = learned_of("group")
    options = EncoderOptions(numbers, missing, features=FeatureOptions(most=20, targets=True, crosses=True))
    plan = plan_of(engineered(learned, options))
    check(plan, RULE)
    assert np.isfinite(compute(plan, learned.X)).all() == (missing == "impute")


def test_choice_is_always_the_same() -> None:
    first, second = (names_of(learned_of("ratio"), most=20, targets=True, crosses=True) for _ in range(2))
    assert first == second


def test_arithmetic_term_computes_what_it_says() -> None:
    learned = learned_of("ratio")
    values = values_of(Arithmetic(1, 0, "multiply").fit(learned), learned).ravel()
    np.testing.assert_array_equal(values, learned.X.numbers[:, 1] * learned.X.numbers[:, 0])


@pytest.mark.parametrize(("what", "function"), [("mean", np.nanmean), ("deviation", np.nanstd)])
def test_number_of_a_group_is_that_of_its_rows(what: str, function: Any) -> None:
    learned = learned_of("ratio")
    values = values_of(OfGroup(0, TOWN, what).fit(learned), learned).ravel()
    price, town = learned.X.numbers[:, 0], learned.X.numbers[:, 2]
    np.testing.assert_allclose(values, np.array([function(price[town == t]) for t in range(6)])[town.astype(int)])


def test_groups_of_few_rows_have_no_number() -> None:
    learned = learned_of("ratio")
    learned.X.numbers[:, 2] = np.where(np.arange(ROWS) < 2, 5, 0)
    values = values_of(OfGroup(1, TOWN, "mean").fit(learned), learned).ravel()
    assert np.isnan(values).tolist() == [True, True] + [False] * (ROWS - 2)


def test_share_of_a_cross_is_the_logarithm_of_its_rows() -> None:
    learned = learned_of("cross")
    values = values_of(ShareOf((TOWN, OLD)).fit(learned), learned).ravel()
    key = learned.X.numbers[:, 2] * 2 + learned.X.numbers[:, 3]
    shares = np.array([np.mean(key == k) for k in range(12)])[key.astype(int)]
    np.testing.assert_allclose(values, np.log(shares))


def test_mean_target_of_a_cross_is_near_the_means_of_its_groups() -> None:
    learned = learned_of("cross")
    block = TargetOf((TOWN, OLD)).fit(learned)
    is_same = learned.X.numbers[:, 2] % 2 == learned.X.numbers[:, 3]
    values = values_of(block, learned).ravel()
    assert values[is_same].min() > 0.8
    assert values[~is_same].max() < -0.8
    assert len(block.inner) == 5
