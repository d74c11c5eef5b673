"""The laws for candidates of tables catch those who break them: each cheat here keeps all other promises."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.candidates.tabular.baseline import Baseline
from automl.candidates.tabular.table_model import TableModel
from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.space import CandidateSpace, Configuration
from automl.serving.table import UNSEEN, Table
from automl.testing.context import ArrayData, LocalContext, mixed_table
from automl.testing.encoded_suite import assert_scores, two_classes
from automl.testing.table_suite import (
    STRANGE,
    TABLE_OF_CLASSES,
    TABLE_OF_VALUES,
    TableCandidateContract,
    poisoned,
    strange,
)

PLAIN = Configuration("baseline", {})


class Cheat(Baseline):
    """A baseline whose training can be bent: by what it is shown, and by what becomes of its model."""

    def fit(self, job: Job, configuration: Configuration, data: ArrayData, ctx: LocalContext) -> Any:  # type: ignore[override]
        """Train on what is shown, and hand back what is made of it."""
        return self.bent(super().fit(job, configuration, self.shown(data, ctx), ctx), data, ctx)

    def shown(self, data: ArrayData, ctx: LocalContext) -> ArrayData:
        """Return what is learned from."""
        return data

    def bent(self, model: TableModel, data: ArrayData, ctx: LocalContext) -> Any:
        """Return the model."""
        return model


class Honest(Cheat):
    """Nothing is bent."""


class LooksAtTargets(Cheat):
    """Learns the mean of all rows."""

    def shown(self, data: ArrayData, ctx: LocalContext) -> ArrayData:
        return dataclasses.replace(data, y=np.full_like(data.y, data.y.mean()))


class LooksAtNumbers(Cheat):
    """Takes the mean of a column over all rows."""

    def bent(self, model: TableModel, data: ArrayData, ctx: LocalContext) -> Any:
        return with_block(model, {"finish": {"fill": [float(np.nanmean(data.X.numbers[:, 0]))]}})


class LooksAtTexts(Cheat):
    """Knows the words of all rows."""

    def bent(self, model: TableModel, data: ArrayData, ctx: LocalContext) -> Any:
        words = {word for text in data.X.texts[0] for word in text.split()}
        return dataclasses.replace(model, plan={**model.plan, "names": [" ".join(sorted(words))]})


class LooksAtRowsOnly(Cheat):
    """Takes the mean of a column over the training rows, which is fair."""

    def bent(self, model: TableModel, data: ArrayData, ctx: LocalContext) -> Any:
        known = data.X.numbers[ctx.train_rows, 0]
        return with_block(model, {"finish": {"fill": [float(np.nanmean(known))]}})


class Boasts(Cheat):
    """Reports a better score than it has."""

    def bent(self, model: TableModel, data: ArrayData, ctx: LocalContext) -> Any:
        ctx.report(1, 0.99)
        return model


class Silent(Cheat):
    """Reports nothing."""

    def bent(self, model: TableModel, data: ArrayData, ctx: LocalContext) -> Any:
        ctx.reports.clear()
        return model


class ReportsARefit(Cheat):
    """Reports a score although no row was held out."""

    def bent(self, model: TableModel, data: ArrayData, ctx: LocalContext) -> Any:
        ctx.report(1, 0.5)
        return model


class WeighsAllRowsAlike(Cheat):
    """Forgets the weights."""

    def shown(self, data: ArrayData, ctx: LocalContext) -> ArrayData:
        return dataclasses.replace(data, weights=None)


class Restless(Cheat):
    """Learns something else each time."""

    times = 0

    def bent(self, model: TableModel, data: ArrayData, ctx: LocalContext) -> Any:
        Restless.times += 1
        return Scaled(model, by=1 + Restless.times / 100)


class Doubles(Cheat):
    """Gives double precision."""

    def bent(self, model: TableModel, data: ArrayData, ctx: LocalContext) -> Any:
        return Scaled(model, kind="float64")


class SumsToTwo(Cheat):
    """Gives no probabilities."""

    def bent(self, model: TableModel, data: ArrayData, ctx: LocalContext) -> Any:
        return Scaled(model, by=2)


class BreaksOnStrangeRows(Cheat):
    """Gives NaN where a number is very large."""

    def bent(self, model: TableModel, data: ArrayData, ctx: LocalContext) -> Any:
        return Scaled(model, limit=1e100)


class Pickles(Cheat):
    """Writes a pickle."""

    file = "model.pkl"

    def bent(self, model: TableModel, data: ArrayData, ctx: LocalContext) -> Any:
        return Writing(model, self.file, pickle.dumps({"a": 1}))


class HidesAPickle(Pickles):
    """Calls a pickle by another name."""

    file = "more.json"


class ShipsAnotherModel(Cheat):
    """Predicts better in the run than in production."""

    def bent(self, model: TableModel, data: ArrayData, ctx: LocalContext) -> Any:
        return Scaled(model, by=1 + 1e-3)


class ReadsColumnsThatAreNotThere(Cheat):
    """Has an encoder for another table."""

    def bent(self, model: TableModel, data: ArrayData, ctx: LocalContext) -> Any:
        return dataclasses.replace(model, plan=with_block(model, {"columns": [99]}).plan)


class ForgetsAClass(Cheat):
    """Has columns for the classes of its training rows only."""

    def bent(self, model: TableModel, data: ArrayData, ctx: LocalContext) -> Any:
        return Scaled(model, columns=np.unique(data.y[ctx.train_rows]))


class Uneasy(Cheat):
    """Fails where there is one class alone."""

    def shown(self, data: ArrayData, ctx: LocalContext) -> ArrayData:
        assert len(np.unique(data.y[ctx.train_rows])) > 1, "nothing to learn"
        return data


class CountsWrongly(Cheat):
    """Says that it did more steps than it was asked for."""

    def bent(self, model: TableModel, data: ArrayData, ctx: LocalContext) -> Any:
        return dataclasses.replace(model, steps=3)


class Underestimates(Cheat):
    """Thinks that many rows cost less."""

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        return Cost(fixed_seconds=1 / rows, step_seconds=0, peak_bytes=1)


class ProbesNothing(Cheat):
    """Thinks that it costs nothing."""

    def probe(self, data: Any, configuration: Configuration, ctx: Any) -> Cost:
        return Cost(fixed_seconds=0, step_seconds=0, peak_bytes=0)


class OfImages(Cheat):
    """Is for another task."""

    tasks = ("image-clf",)


class Renamed(Cheat):
    """Has another name than its configuration."""

    name = "other"


@dataclasses.dataclass
class Scaled:
    """A model whose answers are changed on their way out."""

    model: TableModel
    by: float = 1.0
    kind: str = "float32"
    limit: float = np.inf
    columns: np.ndarray | None = None
    steps: int = 1
    best_step: int = 1

    def predict(self, X: Table) -> np.ndarray:
        """Return the model's answers, changed."""
        out = self.model.predict(X) * self.by
        out[(np.abs(X.numbers) > self.limit).any(axis=1)] = np.nan
        return (out if self.columns is None else out[:, self.columns]).astype(self.kind)

    def save(self, folder: Path) -> dict[str, object]:
        """Write the model as it was."""
        return self.model.save(folder)

    def save_checkpoint(self, folder: Path) -> None:
        """Write nothing."""


@dataclasses.dataclass
class Writing(Scaled):
    """A model that writes one file more."""

    file: str = ""
    content: bytes = b""

    def __init__(self, model: TableModel, file: str, content: bytes) -> None:
        super().__init__(model)
        self.file, self.content = file, content

    def save(self, folder: Path) -> dict[str, object]:
        """Write the file too."""
        (folder / self.file).write_bytes(self.content)
        return super().save(folder)


def with_block(model: TableModel, change: dict[str, Any]) -> TableModel:
    """Return the model with another first block in its plan."""
    return dataclasses.replace(model, plan={**model.plan, "blocks": [{**model.plan["blocks"][0], **change}]})


def contract(candidate: Baseline, **facts: Any) -> TableCandidateContract:
    """Return the laws for a candidate, as an author writes them down."""
    made = {"candidate": candidate, "configuration": PLAIN, "learns": False, **facts}
    return type("TestMine", (TableCandidateContract,), made)()


def holds(law: str, laws: TableCandidateContract, folder: Path) -> bool:
    """Return whether a law holds."""
    test: Callable[..., None] = getattr(laws, f"test_{law}")
    folder.mkdir(exist_ok=True)
    try:
        test(*([folder] if test.__code__.co_argcount > 1 else []))
    except AssertionError:
        return False
    return True


CHEATS: dict[str, tuple[type[Cheat], ArrayData]] = {
    "validation_rows_teach_nothing": (LooksAtNumbers, TABLE_OF_CLASSES),
    "it_reports_the_score_of_its_predictions": (Boasts, TABLE_OF_CLASSES),
    "steps_are_counted": (CountsWrongly, TABLE_OF_CLASSES),
    "without_validation_rows_it_trains_on_all": (ReportsARefit, TABLE_OF_CLASSES),
    "weights_of_rows_change_the_model": (WeighsAllRowsAlike, TABLE_OF_CLASSES),
    "the_same_seed_gives_the_same_predictions": (Restless, TABLE_OF_VALUES),
    "predictions_have_the_shape_of_the_task": (Doubles, TABLE_OF_VALUES),
    "two_classes_work": (SumsToTwo, TABLE_OF_CLASSES),
    "rows_unlike_any_in_training_have_finite_scores": (BreaksOnStrangeRows, TABLE_OF_CLASSES),
    "saved_files_are_of_safe_kinds": (Pickles, TABLE_OF_CLASSES),
    "the_saved_files_predict_as_the_run_does": (ShipsAnotherModel, TABLE_OF_CLASSES),
    "a_class_without_training_rows_still_has_a_column": (ForgetsAClass, TABLE_OF_CLASSES),
    "one_class_alone_is_survived": (Uneasy, TABLE_OF_CLASSES),
    "a_constant_target_is_predicted": (SumsToTwo, TABLE_OF_VALUES),
    "a_column_that_is_missing_in_all_training_rows_is_survived": (SumsToTwo, TABLE_OF_CLASSES),
    "estimate_grows_with_rows": (Underestimates, TABLE_OF_CLASSES),
    "probe_gives_a_cost": (ProbesNothing, TABLE_OF_CLASSES),
    "it_serves_the_task_of_its_data": (OfImages, TABLE_OF_CLASSES),
    "it_says_what_it_is": (Renamed, TABLE_OF_CLASSES),
    "without_time_it_ends_early_or_says_so": (SumsToTwo, TABLE_OF_CLASSES),
}


@pytest.mark.parametrize(("law", "cheat"), CHEATS.items(), ids=CHEATS)
def test_a_law_holds_for_the_honest_and_not_for_who_breaks_it(law: str, cheat: Any, tmp_path: Path) -> None:
    breaking, data = cheat
    assert holds(law, contract(Honest(), data=data), tmp_path / "honest")
    assert not holds(law, contract(breaking(), data=data), tmp_path / "cheat")


PEEKS = {
    "targets": (LooksAtTargets, TABLE_OF_VALUES, False),
    "numbers": (LooksAtNumbers, TABLE_OF_VALUES, False),
    "texts": (LooksAtTexts, TABLE_OF_CLASSES, False),
    "training-rows": (LooksAtRowsOnly, TABLE_OF_CLASSES, True),
}


@pytest.mark.parametrize(("cheat", "data", "is_fair"), PEEKS.values(), ids=PEEKS)
def test_looking_at_validation_rows_is_seen_in_the_files(
    cheat: type[Cheat], data: ArrayData, is_fair: bool, tmp_path: Path
) -> None:
    assert holds("validation_rows_teach_nothing", contract(cheat(), data=data), tmp_path) == is_fair


def test_a_pickle_is_seen_under_any_name(tmp_path: Path) -> None:
    assert not holds("saved_files_are_of_safe_kinds", contract(HidesAPickle()), tmp_path)


def test_who_reports_nothing_is_seen(tmp_path: Path) -> None:
    assert not holds("steps_are_counted", contract(Silent()), tmp_path)


def test_an_encoder_for_another_table_is_refused(tmp_path: Path) -> None:
    laws = contract(ReadsColumnsThatAreNotThere())
    with pytest.raises(ValueError, match=r"columns must be less than the 5 of the input. Got 99"):
        laws.test_its_encoder_fits_the_rule_of_the_data(tmp_path)


@pytest.mark.parametrize("data", [TABLE_OF_CLASSES, TABLE_OF_VALUES], ids=["classes", "values"])
def test_who_learns_nothing_beats_no_constant(data: ArrayData, tmp_path: Path) -> None:
    assert not holds("it_beats_a_constant", contract(Honest(), data=data, learns=True), tmp_path)


@pytest.mark.parametrize(("module", "is_light"), [("json", True), ("pandas", False), ("automl.registry", True)])
def test_a_heavy_import_is_seen(module: str, is_light: bool, tmp_path: Path) -> None:
    assert holds("importing_it_loads_no_heavy_package", contract(Honest(), module=module), tmp_path) == is_light


@pytest.mark.parametrize(("source", "is_whole"), [("https://example.org/paper", True), ("my own idea", False)])
def test_a_space_needs_a_source(source: str, is_whole: bool, tmp_path: Path) -> None:
    space = CandidateSpace("baseline", source, {})
    laws = contract(Honest(), space=space)
    assert holds("its_space_has_a_source_and_accepts_its_own_default", laws, tmp_path) == is_whole


SKIPS = {
    "for-classes": ("two_classes_work", {"data": TABLE_OF_VALUES}),
    "for-values": ("a_constant_target_is_predicted", {"data": TABLE_OF_CLASSES}),
    "no-learner": ("it_beats_a_constant", {}),
    "no-space": ("its_random_configurations_can_be_estimated", {}),
}


@pytest.mark.parametrize(("law", "facts"), SKIPS.values(), ids=SKIPS)
def test_a_law_that_does_not_apply_is_skipped(law: str, facts: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match=r"for classes|for values|learns nothing|no space given"):
        holds(law, contract(Honest(), **facts), tmp_path)


@pytest.mark.parametrize("data", [TABLE_OF_CLASSES, TABLE_OF_VALUES], ids=["classes", "values"])
def test_poison_is_in_the_given_rows_alone(data: ArrayData) -> None:
    rows, others = np.arange(0, 180, 4), np.setdiff1d(np.arange(180), np.arange(0, 180, 4))
    bad = poisoned(data, rows)
    np.testing.assert_array_equal(bad.X.numbers[others], data.X.numbers[others])
    np.testing.assert_array_equal(bad.y[others], data.y[others])
    assert list(bad.X.texts[0][others]) == list(data.X.texts[0][others])
    assert all(text.startswith("poison") for text in bad.X.texts[0][rows])
    assert (bad.y[rows] != data.y[rows]).mean() > 0.5


@pytest.mark.parametrize("codes", [[0, 1, 2] * 20, [0, 1] * 30, [1] * 60], ids=["even", "two", "one"])
def test_no_count_of_classes_survives_the_poison(codes: list[int]) -> None:
    data, rows = mixed_table(60), np.arange(30)
    data = dataclasses.replace(data, y=np.array(codes))
    bad = poisoned(data, rows)
    assert np.bincount(bad.y, minlength=3).tolist() != np.bincount(data.y, minlength=3).tolist()
    assert bad.spec.class_counts == tuple(np.bincount(bad.y, minlength=3))


def test_poison_leaves_the_data_as_they_were() -> None:
    before = TABLE_OF_CLASSES.X.numbers.copy(), TABLE_OF_CLASSES.y.copy()
    poisoned(TABLE_OF_CLASSES, np.arange(180))
    np.testing.assert_array_equal(TABLE_OF_CLASSES.X.numbers, before[0])
    np.testing.assert_array_equal(TABLE_OF_CLASSES.y, before[1])


def test_strange_rows_have_every_strange_value_in_every_column() -> None:
    rows = strange(TABLE_OF_CLASSES.X)
    assert rows.numbers.shape == (len(STRANGE), 5)
    assert {UNSEEN, 0.0, 1e300, -1e300} <= set(rows.numbers[:, 4].tolist())
    assert [len(texts) for texts in rows.texts] == [len(STRANGE)]


def test_two_classes_are_the_first_and_the_others() -> None:
    data = two_classes(mixed_table(60, classes=4))
    assert (data.spec.classes, data.spec.class_counts) == (("no", "yes"), (15, 45))
    assert data.y.tolist() == [int(row % 4 > 0) for row in range(60)]


def are_scores(scores: np.ndarray) -> bool:
    """Return whether these pass as scores of six rows of three classes."""
    try:
        assert_scores(scores, TABLE_OF_CLASSES, rows=6)
    except AssertionError:
        return False
    return True


WRONG = {
    "rows": np.full((5, 3), 1 / 3, np.float32),
    "columns": np.full((6, 2), 1 / 2, np.float32),
    "flat": np.full(6, 1 / 3, np.float32),
    "double": np.full((6, 3), 1 / 3),
    "missing": np.full((6, 3), np.nan, np.float32),
    "sum": np.full((6, 3), 0.3, np.float32),
    "negative": np.tile(np.array([1.5, -0.5, 0], np.float32), (6, 1)),
}


@pytest.mark.parametrize("scores", WRONG.values(), ids=WRONG)
def test_scores_that_are_none_are_seen(scores: np.ndarray) -> None:
    assert are_scores(np.full((6, 3), 1 / 3, np.float32))
    assert not are_scores(scores)
