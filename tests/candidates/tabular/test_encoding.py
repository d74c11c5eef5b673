from __future__ import annotations

import dataclasses
import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from automl.candidates.tabular.encoding import CodeColumn, Encoded, EncoderOptions, FeatureOptions, encoded
from automl.core.data import DataSpec
from automl.serving.table import Column, Table, TableRule
from automl.serving.table_encoder import check, compute
from automl.serving.texts import Texts
from automl.testing.context import ArrayData, LocalContext, mixed_table

LEARNED, OTHERS = np.arange(0, 200), np.arange(200, 260)
EVERYTHING = FeatureOptions(most=12, targets=True, crosses=True)
ENGINEERED = EncoderOptions(features=EVERYTHING)
COMBINATIONS = list(
    itertools.product(("raw", "standard", "quantile"), ("keep", "impute"), ("codes", "onehot", "target", "frequency"))
)


def context(cache: Path, classes: int = 3, rows: np.ndarray = LEARNED) -> LocalContext:
    return LocalContext(rows, OTHERS, classes, cache)


def options_of(combination: tuple[str, ...], features: FeatureOptions) -> EncoderOptions:
    numbers, missing, categories = combination
    return EncoderOptions(numbers, missing, categories, texts=10, features=features)  # type: ignore[arg-type]


def same(left: Encoded, right: Encoded, rows: np.ndarray) -> bool:
    is_equal = np.array_equal(left.X[rows], right.X[rows], equal_nan=True)
    return is_equal and left.plan == right.plan and left.codes == right.codes


def poisoned(data: ArrayData) -> ArrayData:
    """The same data, with nonsense in all rows that are not learned from."""
    numbers, y = data.X.numbers.copy(), data.y.copy()
    numbers[OTHERS, :3] = np.nan
    numbers[OTHERS[::2], :2] = 1e9
    numbers[OTHERS, 3], numbers[OTHERS, 4] = 3, 4e9
    texts = [text if row < 200 else "poison poison" for row, text in enumerate(data.X.texts[0])]
    y[OTHERS] = y[LEARNED].max()
    return dataclasses.replace(data, X=Table(numbers, (Texts.of(texts),)), y=y)


@pytest.mark.parametrize("classes", [0, 2, 3], ids=["regression", "two classes", "three classes"])
@pytest.mark.parametrize("combination", COMBINATIONS, ids=["-".join(each) for each in COMBINATIONS])
def test_rows_not_learned_from_hold_what_is_served(combination: tuple[str, ...], classes: int, tmp_path: Path) -> None:
    data = mixed_table(260, classes=classes)
    found = encoded(data, context(tmp_path, classes), options_of(combination, FeatureOptions()))
    check(found.plan, TableRule.from_json(data.spec.input))
    np.testing.assert_array_equal(found.X[OTHERS], compute(found.plan, data.X[OTHERS]))
    assert (found.X.dtype, found.X.shape) == (np.float32, (260, found.plan["width"]))
    assert np.isfinite(found.X).all() == (combination[1] == "impute")


@pytest.mark.parametrize("classes", [0, 2, 3], ids=["regression", "two classes", "three classes"])
@pytest.mark.parametrize("numbers", ["raw", "quantile"])
def test_engineered_columns_are_served_as_they_were_computed(numbers: str, classes: int, tmp_path: Path) -> None:
    data = mixed_table(260, classes=classes)
    found = encoded(data, context(tmp_path, classes), options_of((numbers, "impute", "target"), EVERYTHING))
    check(found.plan, TableRule.from_json(data.spec.input))
    np.testing.assert_array_equal(found.X[OTHERS], compute(found.plan, data.X[OTHERS]))
    assert np.isfinite(found.X).all()


@pytest.mark.parametrize("classes", [0, 3], ids=["regression", "classes"])
@pytest.mark.parametrize("combination", COMBINATIONS[::5], ids=["-".join(each) for each in COMBINATIONS[::5]])
def test_other_rows_have_no_part_in_what_is_learned(combination: tuple[str, ...], classes: int, tmp_path: Path) -> None:
    data, options = mixed_table(260, classes=classes), options_of(combination, EVERYTHING)
    clean = encoded(data, context(tmp_path / "clean", classes), options)
    assert same(encoded(poisoned(data), context(tmp_path / "other", classes), options), clean, LEARNED)


def test_only_columns_of_mean_targets_differ_from_what_is_served(tmp_path: Path) -> None:
    data = mixed_table(260)
    found = encoded(data, context(tmp_path), EncoderOptions(categories="target", missing="impute"))
    differs = (found.X[LEARNED] != compute(found.plan, data.X[LEARNED])).any(axis=0)
    assert {name.split(" ")[0] for name, d in zip(found.plan["names"], differs, strict=True) if d} == {"target"}


def test_own_target_has_no_part_in_the_mean_target_of_a_row_learned_from(tmp_path: Path) -> None:
    data = mixed_table(260, classes=0)
    options = EncoderOptions(categories="target", texts=0)
    column = encoded(data, context(tmp_path / "a", 0), options).plan["names"].index("target by colour")
    changed = dataclasses.replace(data, y=np.where(np.arange(260) == 7, 11.0, data.y))
    before, after = (
        encoded(each, context(tmp_path / name, 0), options).X[:, column] for each, name in ((data, "b"), (changed, "c"))
    )
    assert abs(after[7] - before[7]) < 0.1 * np.ptp(before)


def test_noise_as_a_category_is_no_news_to_rows_learned_from(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = tuple(str(label) for label in range(60))
    numbers, y = rng.integers(0, 60, (600, 1)).astype(float), rng.integers(0, 2, 600)
    spec = DataSpec("noise", "table", 600, (1,), ("a", "b"), (300, 300), "noise", _rule("category", labels).to_json())
    rows = np.arange(500)
    found = encoded(ArrayData(Table(numbers), y, spec), context(tmp_path, 2, rows), EncoderOptions(categories="target"))
    assert np.corrcoef(found.X[rows, 0], y[rows])[0, 1] < 0.1


def test_second_time_comes_from_the_cache(tmp_path: Path) -> None:
    data, ctx = mixed_table(260), context(tmp_path)
    first = encoded(data, ctx, ENGINEERED)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert same(encoded(data, ctx, ENGINEERED), first, np.arange(260))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == times
    assert sorted(path.suffix for path in times) == [".json", ".npy"]


def test_values_are_mapped_and_read_only(tmp_path: Path) -> None:
    X = encoded(mixed_table(260), context(tmp_path), EncoderOptions()).X
    assert isinstance(X, np.memmap)
    assert not X.flags.writeable


@pytest.mark.parametrize("gone", [".json", ".npy"])
def test_lost_file_is_made_again(gone: str, tmp_path: Path) -> None:
    data, ctx = mixed_table(260), context(tmp_path)
    first = encoded(data, ctx, EncoderOptions())
    next(path for path in tmp_path.iterdir() if path.suffix == gone).unlink()
    assert same(encoded(data, ctx, EncoderOptions()), first, np.arange(260))


@pytest.mark.parametrize(
    ("fingerprint", "rows", "options"),
    [
        ("other", LEARNED, EncoderOptions()), ("", LEARNED[:-1], EncoderOptions()),
        ("", LEARNED, EncoderOptions(most_onehot=29)), ("", LEARNED, EncoderOptions(features=FeatureOptions(most=1))),
    ],
    ids=["data", "rows", "options", "features"],
)  # fmt: skip
def test_what_differs_is_kept_apart(
    fingerprint: str, rows: np.ndarray, options: EncoderOptions, tmp_path: Path
) -> None:
    data = mixed_table(260)
    encoded(data, context(tmp_path), EncoderOptions())
    other = dataclasses.replace(data, spec=dataclasses.replace(data.spec, fingerprint=fingerprint or "mixed-260-3-0"))
    encoded(other, context(tmp_path), options, rows)
    assert len(list(tmp_path.glob("*.npy"))) == 2


def test_order_of_the_rows_learned_from_does_not_matter(tmp_path: Path) -> None:
    data = mixed_table(260)
    encoded(data, context(tmp_path), EncoderOptions())
    encoded(data, context(tmp_path), EncoderOptions(), LEARNED[::-1])
    assert len(list(tmp_path.glob("*.npy"))) == 1


def test_workers_that_come_at_once_all_get_the_same_and_leave_nothing_behind(tmp_path: Path) -> None:
    data = mixed_table(260)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: encoded(data, context(tmp_path), ENGINEERED), range(4)))
    assert all(same(each, found[0], np.arange(260)) for each in found)
    assert len(list(tmp_path.iterdir())) == 2


def test_codes_say_which_columns_are_categories(tmp_path: Path) -> None:
    found = encoded(mixed_table(260), context(tmp_path), EncoderOptions(missing="impute", rare=1))
    place = found.plan["names"].index("colour")
    assert found.codes == (CodeColumn(place, 6),)
    assert set(np.unique(found.X[LEARNED, place])) == set(range(6))


def test_no_rows_to_learn_from_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"needs rows to learn from\. Got 0"):
        encoded(mixed_table(30), context(tmp_path), EncoderOptions(), np.array([], np.int64))


@pytest.mark.parametrize("combination", COMBINATIONS[::7], ids=["-".join(each) for each in COMBINATIONS[::7]])
@pytest.mark.parametrize("rows", [1, 2, 7])
def test_few_rows_are_enough(combination: tuple[str, ...], rows: int, tmp_path: Path) -> None:
    data = mixed_table(40)
    found = encoded(data, context(tmp_path), options_of(combination, EVERYTHING), np.arange(rows))
    check(found.plan, TableRule.from_json(data.spec.input))
    assert len(found.X) == 40


@pytest.mark.parametrize("kind", ["number", "boolean", "category", "date", "text"])
@pytest.mark.parametrize("missing", ["keep", "impute"])
def test_column_that_tells_nothing_still_gives_one(kind: str, missing: str, tmp_path: Path) -> None:
    rule = _rule(kind, ("a", "b") if kind == "category" else ())
    texts = (Texts.of([""] * 20),) if kind == "text" else ()
    X = Table(np.ones((20, 1 - len(texts))), texts)
    spec = DataSpec("flat", "table", 20, (1,), ("a", "b"), (10, 10), "flat", rule.to_json())
    data = ArrayData(X, np.arange(20) % 2, spec)
    found = encoded(data, context(tmp_path, 2, np.arange(10)), EncoderOptions(missing=missing))  # type: ignore[arg-type]
    check(found.plan, rule)
    assert np.ptp(found.X) == 0


def _rule(kind: str, categories: tuple[str, ...]) -> TableRule:
    return TableRule((Column("only", kind, categories),))  # type: ignore[arg-type]
