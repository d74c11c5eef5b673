"""The laws for candidates of series catch those who break them, and the tiny artifacts of series are as told."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from automl.candidates.sequence.baseline import Baseline
from automl.candidates.sequence.series_model import SeriesModel
from automl.core.job import Job
from automl.core.space import Configuration
from automl.serving.series import Series, SeriesRule
from automl.serving.series_steps import Steps, check
from automl.testing.context import ArrayData, LocalContext
from automl.testing.series_suite import WAVES, WAVES_OF_ONE_LENGTH, SeriesCandidateContract, strange
from automl.testing.tiny_series import (
    PLAN,
    RULE,
    means_onnx,
    series_columns,
    tiny_series_artifact,
    write_series_member,
)

PLAIN = Configuration("baseline", {})
Change = Callable[[np.ndarray, Series], np.ndarray]
RNG = np.random.default_rng(0)


class Cheat(Baseline):
    """A baseline whose training is bent: by what it is shown, and by what becomes of its model."""

    def __init__(
        self,
        bent: Callable[[SeriesModel, ArrayData, LocalContext], Any] = lambda model, data, ctx: model,
        shown: Callable[[ArrayData, LocalContext], ArrayData] = lambda data, ctx: data,
    ) -> None:
        self._bent, self._shown = bent, shown

    def fit(self, job: Job, configuration: Configuration, data: ArrayData, ctx: LocalContext) -> Any:  # type: ignore[override]
        """Train on what is shown, and hand back what is made of it."""
        return self._bent(super().fit(job, configuration, self._shown(data, ctx), ctx), data, ctx)


@dataclasses.dataclass
class Changed:
    """A model whose answers are changed on their way out, or its plan in the files."""

    model: SeriesModel
    change: Change = lambda scores, series: scores
    plan: dict[str, Any] = dataclasses.field(default_factory=dict)
    steps: int = 1
    best_step: int = 1

    def predict(self, X: Series) -> np.ndarray:
        """Return the model's answers, changed."""
        return self.change(self.model.predict(X), X).astype(np.float32)

    def save(self, folder: Path) -> dict[str, object]:
        """Write the model, with what is changed in its plan."""
        return dataclasses.replace(self.model, plan={**self.model.plan, **self.plan}).save(folder)

    def save_checkpoint(self, folder: Path) -> None:
        """Write nothing."""


def answers(change: Change) -> Cheat:
    """Return a candidate whose models' answers are changed."""
    return Cheat(lambda model, data, ctx: Changed(model, change))


def learns(plan: Callable[[ArrayData, np.ndarray], dict[str, Any]], *, is_fair: bool) -> Cheat:
    """Return a candidate that keeps in its plan what it found in the training rows, or in all."""

    def bent(model: SeriesModel, data: ArrayData, ctx: LocalContext) -> SeriesModel:
        rows = np.sort(ctx.train_rows) if is_fair else np.arange(len(data.y))
        return dataclasses.replace(model, plan={**model.plan, **plan(data, rows)})

    return Cheat(bent)


def tilted(scores: np.ndarray, shares: Any) -> np.ndarray:
    """Return probabilities drawn to the last class by these shares."""
    shares = np.broadcast_to(shares, len(scores))[:, None]
    return np.asarray(scores * (1 - shares) + np.eye(scores.shape[1])[-1] * shares)


def seen_after_steps(count: int) -> Callable[[ArrayData, LocalContext], ArrayData]:
    """Return training that fails on series of so few steps, as that of differences may."""

    def shown(data: ArrayData, ctx: LocalContext) -> ArrayData:
        if data.X[ctx.train_rows].lengths.max() <= count:
            raise ValueError("zero-size array to reduction operation")
        return data

    return shown


def scaled_by_means(model: SeriesModel, data: ArrayData, ctx: LocalContext) -> Changed:
    """Divide by how often a channel is known in the training rows."""
    known = (~np.isnan(data.X[ctx.train_rows].packed().values)).sum(axis=0)
    return Changed(model, lambda scores, series: scores if known.all() else scores * np.nan)


def forgetting(model: SeriesModel, data: ArrayData, ctx: LocalContext) -> Changed:
    """Have columns for the classes of training rows alone."""
    return Changed(model, lambda scores, series: scores[:, np.unique(data.y[ctx.train_rows])])


def summed(scores: np.ndarray, series: Series) -> np.ndarray:
    """Give NaN for a series in which nothing is known."""
    known = [(~np.isnan(series[row : row + 1].packed().values)).any() for row in range(len(series))]
    return np.where(np.array(known, bool).reshape(-1, 1), scores, np.nan)


def contract(candidate: Baseline, **facts: Any) -> SeriesCandidateContract:
    """Return the laws for a candidate, as an author writes them down."""
    made = {"candidate": candidate, "configuration": PLAIN, "learns": False, **facts}
    return type("TestMine", (SeriesCandidateContract,), made)()


def holds(law: str, laws: SeriesCandidateContract, folder: Path) -> bool:
    """Return whether a law holds."""
    test: Callable[..., None] = getattr(laws, f"test_{law}")
    folder.mkdir(exist_ok=True)
    try:
        test(*([folder] if test.__code__.co_argcount > 1 else []))
    except (AssertionError, ValueError):
        return False
    return True


class OfTexts(Cheat):
    """Is for another task."""

    tasks = ("text-clf",)


CHEATS: dict[str, tuple[str, Cheat]] = {
    "of-texts": ("it_serves_the_task_of_its_data", OfTexts()),
    "forgets-a-class": ("a_class_without_training_rows_still_has_a_column", Cheat(forgetting)),
    "sums-nothing": ("rows_unlike_any_in_training_have_finite_scores", answers(summed)),
    "large-numbers": (
        "rows_unlike_any_in_training_have_finite_scores",
        answers(lambda scores, series: np.where(np.nanmax(series.values) > 1e20, np.nan, scores)),
    ),
    "needs-differences": ("series_of_one_step_are_survived", Cheat(shown=seen_after_steps(1))),
    "needs-channels": ("a_channel_that_is_missing_in_all_training_rows_is_survived", Cheat(scaled_by_means)),
    "ships-another": ("the_saved_files_predict_as_the_run_does", answers(lambda scores, series: tilted(scores, 1e-3))),
    "ships-another-for-long-series": (
        "the_saved_files_predict_as_the_run_does",
        answers(lambda scores, series: tilted(scores, 0.1 * (series.lengths > 300))),
    ),
    "sees-the-longest": (
        "a_row_is_answered_alone_as_among_others",
        answers(lambda scores, series: tilted(scores, 1e-4 * series.lengths.max(initial=0))),
    ),
    "sees-how-many": (
        "a_row_is_answered_alone_as_among_others",
        answers(lambda scores, series: tilted(scores, 1e-3 * min(50, len(series)))),
    ),
    "other-channels": (
        "its_encoder_fits_the_rule_of_the_data",
        Cheat(lambda model, data, ctx: Changed(model, plan={"channels": 3})),
    ),
}


@pytest.mark.parametrize(("law", "cheat"), CHEATS.values(), ids=CHEATS)
def test_who_breaks_a_law_is_caught(law: str, cheat: Cheat, tmp_path: Path) -> None:
    assert not holds(law, contract(cheat), tmp_path)


@pytest.mark.parametrize("law", sorted({law for law, _ in CHEATS.values()}))
def test_who_is_honest_keeps_the_law(law: str, tmp_path: Path) -> None:
    assert holds(law, contract(Cheat()), tmp_path)


PEEKS: dict[str, Callable[[ArrayData, np.ndarray], dict[str, Any]]] = {
    "lengths": lambda data, rows: {"longest": int(data.X[rows].lengths.max())},
    "values": lambda data, rows: {"level": float(np.nanmean(data.X[rows].packed().values))},
    "targets": lambda data, rows: {"codes": data.y[rows].tolist()},
    "counts": lambda data, rows: {"counts": np.bincount(data.y[rows], minlength=3).tolist()},
}


@pytest.mark.parametrize("is_fair", [True, False], ids=["training-rows", "all-rows"])
@pytest.mark.parametrize("found", PEEKS.values(), ids=PEEKS)
def test_looking_at_validation_rows_is_seen_in_the_files(
    found: Callable[[ArrayData, np.ndarray], dict[str, Any]], is_fair: bool, tmp_path: Path
) -> None:
    assert holds("validation_rows_teach_nothing", contract(learns(found, is_fair=is_fair)), tmp_path) == is_fair


@pytest.mark.parametrize("law", ["it_beats_a_constant", "one_channel_of_one_length_is_learned"])
def test_who_learns_nothing_must_say_so(law: str, tmp_path: Path) -> None:
    assert not holds(law, contract(Cheat(), learns=True), tmp_path)


def shown_by(law: str, folder: Path) -> tuple[ArrayData, LocalContext]:
    """Return what a law has a candidate learn from."""
    seen: list[tuple[ArrayData, LocalContext]] = []
    holds(law, contract(Cheat(lambda model, data, ctx: seen.append((data, ctx)) or model)), folder)
    return seen[-1]


def test_one_channel_is_missing_in_the_training_rows_and_in_no_others(tmp_path: Path) -> None:
    data, ctx = shown_by("a_channel_that_is_missing_in_all_training_rows_is_survived", tmp_path)
    assert np.isnan(data.X[ctx.train_rows].packed().values[:, 0]).all()
    assert np.isnan(data.X[ctx.train_rows].packed().values[:, 1]).mean() < 0.1
    np.testing.assert_array_equal(data.X[ctx.valid_rows].packed().values, WAVES.X[ctx.valid_rows].packed().values)
    assert np.isnan(WAVES.X.values).mean() < 0.1


def test_series_of_one_step_are_the_first_steps(tmp_path: Path) -> None:
    data, _ = shown_by("series_of_one_step_are_survived", tmp_path)
    assert set(data.X.lengths) == {1}
    np.testing.assert_array_equal(data.X.packed().values, WAVES.X.values[WAVES.X.starts])


def test_poison_is_in_the_given_rows_alone() -> None:
    rows, others = np.arange(0, 150, 4), np.setdiff1d(np.arange(150), np.arange(0, 150, 4))
    bad = contract(Cheat()).poisoned(rows)
    np.testing.assert_array_equal(bad.X[others].packed().values, WAVES.X[others].packed().values)
    np.testing.assert_array_equal(bad.y[others], WAVES.y[others])
    assert np.abs(bad.X[rows].packed().values).mean() > 1000
    assert (bad.X[rows].lengths != WAVES.X[rows].lengths).mean() > 0.5
    assert (bad.y[rows] != WAVES.y[rows]).mean() > 0.5
    assert (np.bincount(bad.y, minlength=3) != np.bincount(WAVES.y)).all()


def test_poison_leaves_the_series_as_they_were() -> None:
    before, ends, codes = WAVES.X.values.copy(), WAVES.X.ends.copy(), WAVES.y.copy()
    contract(Cheat()).poisoned(np.arange(150))
    np.testing.assert_array_equal(WAVES.X.values, before)
    np.testing.assert_array_equal(WAVES.X.ends, ends)
    np.testing.assert_array_equal(WAVES.y, codes)


def test_the_series_are_what_the_suite_promises_of_them() -> None:
    assert len(WAVES.X) == WAVES.spec.rows >= 100
    assert len(set(WAVES.X.lengths)) > 10
    assert 0 < np.isnan(WAVES.X.values).mean() < 0.1
    assert (WAVES.X.channels, WAVES.spec.class_counts) == (2, (50, 50, 50))
    assert (WAVES_OF_ONE_LENGTH.X.channels, set(WAVES_OF_ONE_LENGTH.X.lengths)) == (1, {24})


@pytest.mark.parametrize("channels", [1, 2, 7])
def test_strange_series_are_short_empty_large_constant_long_and_full_of_gaps(channels: int) -> None:
    found = strange(channels)
    one, none, large, constant, long, gaps = (found[row : row + 1].packed().values for row in range(len(found)))
    assert found.channels == channels
    assert (len(one), np.isnan(none).all(), len(set(constant.ravel()))) == (1, True, 1)
    assert large.min() > 1e29
    assert len(long) > 5 * WAVES.X.lengths.max()
    assert 0.4 < np.isnan(gaps).mean() < 1


def expected_answers(series: Series, seed: int) -> np.ndarray:
    """Return what the tiny graph gives by its definition."""
    weights = np.random.default_rng(seed).normal(0, 3, (2, 3))
    means = np.array([np.mean(series[row : row + 1].packed().values, axis=0) for row in range(len(series))])
    odds = np.exp(means @ weights)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


SERIES = Series.of([RNG.normal(size=(length, 2)) for length in (4, 1, 9, 30)])


def run(graph: bytes, series: Series, steps: int | None = None) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    found: np.ndarray = session.run(None, {"input": series.padded(steps)})[0]
    return found


@pytest.mark.parametrize("steps", [None, 31, 100], ids=["longest", "one-more", "many-more"])
@pytest.mark.parametrize("seed", [0, 5])
def test_the_tiny_graph_is_the_softmax_of_means_whatever_the_padding(seed: int, steps: int | None) -> None:
    found = run(means_onnx(2, 3, seed=seed), SERIES, steps)
    np.testing.assert_allclose(found, expected_answers(SERIES, seed), rtol=1e-4, atol=1e-6)


def test_the_seed_decides_the_tiny_graph_alone() -> None:
    assert means_onnx(2, 3, seed=1) == means_onnx(2, 3, seed=1) != means_onnx(2, 3, seed=2)


def test_a_tiny_member_has_the_files_that_its_entry_names(tmp_path: Path) -> None:
    member = write_series_member(tmp_path / "new" / "m", PLAN, fold=3, weight=0.5)
    entry = json.loads((member.folder / "member.json").read_text(encoding="utf-8"))
    assert (member.fold, member.weight, member.folder) == (3, 0.5, tmp_path / "new" / "m")
    assert (member.folder / entry["file"]).read_bytes() == means_onnx(2, 3, seed=3)
    assert json.loads((member.folder / entry["features"]["encoder"]).read_text(encoding="utf-8")) == PLAN


def test_the_digest_of_a_tiny_artifact_is_that_of_its_manifest(tmp_path: Path) -> None:
    told = tiny_series_artifact(tmp_path / "model", tmp_path / "members", run_name="mine")
    manifest = (tmp_path / "model" / "manifest.json").read_bytes()
    assert told == hashlib.sha256(manifest).hexdigest()
    assert b'"mine"' in manifest


def test_the_tiny_plan_shifts_and_divides_and_fits_its_rule() -> None:
    check(PLAN, RULE)
    scaled = Steps(PLAN).packed(SERIES).values
    np.testing.assert_allclose(scaled, (SERIES.values - [0.0, 0.5]) / [1.0, 2.0], rtol=1e-5, atol=1e-6)


def test_columns_of_a_table_are_the_series_again() -> None:
    gappy = Series.of([np.array([[1.0, np.nan], [2.0, 3.0]]), np.array([[np.nan, 4.0]])])
    assert series_columns(gappy) == {
        "id": ["s0", "s0", "s1"], "t": [0, 1, 0], "x": [1.0, 2.0, None], "y": [None, 3.0, 4.0],
    }  # fmt: skip


def test_columns_have_the_names_of_the_rule_and_only_the_rows_asked_for() -> None:
    columns = series_columns(SERIES[2:], SeriesRule(("left", "right"), "who", "when"))
    assert list(columns) == ["who", "when", "left", "right"]
    assert columns["when"] == [*range(9), *range(30)]
    assert columns["left"] == SERIES.values[5:, 0].tolist()
