"""What every candidate for tables must hold to; built-in ones are run through it, and authors of plugins inherit it.

class TestMine(TableCandidateContract):
    candidate = CANDIDATE
    configuration = Configuration("mine", {"depth": 3})

class TestMineOnValues(TestMine):
    data = TABLE_OF_VALUES
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from automl.serving.table import UNSEEN, Table, TableRule
from automl.serving.table_encoder import check, compute
from automl.serving.texts import Texts
from automl.testing.context import ArrayData, mixed_table
from automl.testing.member_suite import MemberContract

TABLE_OF_CLASSES = mixed_table(180, classes=3)
TABLE_OF_VALUES = mixed_table(180, classes=0)


class TableCandidateContract(MemberContract):
    """Inherit, name your class Test…, and set what is your own; once for classes and once for values, if it does both.

    Attributes:
        candidate: the candidate.
        configuration: a cheap configuration of it.
        module: where it is found; by default where its class is.
        space: its search space for the task; None skips what needs it.
        data: a table of at least 100 rows with a column of every kind, learnable; its target decides the task.
        tolerance: how far scores of the exported file may lie from those in the run, relative to 1 + |score|.
        learns: whether it must beat a constant on `data`.
    """

    data: ClassVar[ArrayData] = TABLE_OF_CLASSES

    def test_it_serves_the_task_of_its_data(self) -> None:
        """Classes are `tabular-clf`, numbers `tabular-reg`."""
        assert ("tabular-clf" if self.data.spec.classes else "tabular-reg") in self.candidate.tasks

    def test_predictions_have_the_shape_of_the_task(self, tmp_path: Path) -> None:
        """Rows of float32 that sum to one, or one number each; also for no row at all."""
        fitted = self.fit(tmp_path)
        assert_scores(fitted.predict(self.data.X), self.data)
        assert_scores(fitted.predict(self.data.X[:0]), self.data, rows=0)

    def test_it_beats_a_constant(self, tmp_path: Path) -> None:
        """On rows it was not trained on, by a third at least."""
        if not self.learns:
            pytest.skip("learns nothing")
        ctx = self.context(tmp_path)
        held, known = self.data.y[ctx.valid_rows], self.data.y[ctx.train_rows]
        score = ctx.metric.score(held, self.fit(tmp_path).predict(self.data.X[ctx.valid_rows]))
        if ctx.classes:
            assert 1 - score < (1 - np.bincount(held).max() / len(held)) * 2 / 3
        else:
            assert score < np.sqrt(np.mean((held - known.mean()) ** 2)) * 2 / 3

    def test_it_reports_the_score_of_its_predictions(self, tmp_path: Path) -> None:
        """On the validation rows, in the metric's own unit."""
        ctx = self.context(tmp_path)
        predicted = self.fit(tmp_path, ctx=ctx).predict(self.data.X[ctx.valid_rows])
        score = ctx.reports[-1][1]
        assert score == pytest.approx(ctx.metric.score(self.data.y[ctx.valid_rows], predicted), rel=1e-4)

    def test_validation_rows_teach_nothing(self, tmp_path: Path) -> None:
        """With garbage in their numbers, texts and targets, every saved file is the same to the byte."""
        data = poisoned(self.data, self.context(tmp_path).valid_rows)
        clean = self.saved(tmp_path / "clean", self.data)
        assert clean == self.saved(tmp_path / "poisoned", data)

    def test_without_validation_rows_it_trains_on_all(self, tmp_path: Path) -> None:
        """As a refit does."""
        ctx = self.context(tmp_path)
        ctx.train_rows, ctx.valid_rows = np.arange(self.data.spec.rows), np.arange(0)
        assert_scores(self.fit(tmp_path, ctx=ctx).predict(self.data.X[:5]), self.data, rows=5)
        assert all(score is None for _, score, _ in ctx.reports)

    def test_weights_of_rows_change_the_model(self, tmp_path: Path) -> None:
        """Rows that weigh more draw predictions to their target."""
        y = self.data.y
        is_heavy = y == 0 if self.data.spec.classes else y > np.median(y)
        weights = np.where(is_heavy, 20.0, 0.1)
        heavy = dataclasses.replace(self.data, weights=weights / weights.mean())
        plain = self.fit(tmp_path / "plain").predict(self.data.X)
        drawn = self.fit(tmp_path / "heavy", data=heavy).predict(self.data.X)
        assert (drawn[:, 0] if self.data.spec.classes else drawn).mean() > (
            plain[:, 0] if plain.ndim > 1 else plain
        ).mean()

    def test_two_classes_work(self, tmp_path: Path) -> None:
        """Many libraries treat them as a case of their own."""
        self.needs_classes()
        data = two_classes(self.data)
        ctx = self.context(tmp_path, data)
        predicted = self.fit(tmp_path, data=data, ctx=ctx).predict(data.X)
        assert_scores(predicted, data)
        if self.learns:
            assert predicted[data.y == 1, 1].mean() > predicted[data.y == 0, 1].mean() + 0.2

    def test_a_class_without_training_rows_still_has_a_column(self, tmp_path: Path) -> None:
        """Its probability is small; the others are learned as ever."""
        self.needs_classes()
        ctx = self.context(tmp_path)
        ctx.train_rows = ctx.train_rows[self.data.y[ctx.train_rows] != 1]
        predicted = self.fit(tmp_path, ctx=ctx).predict(self.data.X)
        assert_scores(predicted, self.data)
        assert predicted[:, 1].mean() < 1 / ctx.classes

    def test_one_class_alone_is_survived(self, tmp_path: Path) -> None:
        """Rare classes can leave a fold so."""
        self.needs_classes()
        ctx = self.context(tmp_path)
        ctx.train_rows = ctx.train_rows[self.data.y[ctx.train_rows] == 2]
        predicted = self.fit(tmp_path, ctx=ctx).predict(self.data.X)
        assert_scores(predicted, self.data)
        assert (predicted.argmax(axis=1) == 2).all()

    def test_a_constant_target_is_predicted(self, tmp_path: Path) -> None:
        """A fold of a column that hardly varies can be constant."""
        if self.data.spec.classes:
            pytest.skip("for values")
        data = dataclasses.replace(self.data, y=np.full(self.data.spec.rows, -12.5))
        np.testing.assert_allclose(self.fit(tmp_path, data=data).predict(data.X), -12.5, rtol=1e-6)

    def test_a_column_that_is_missing_in_all_training_rows_is_survived(self, tmp_path: Path) -> None:
        """Though other rows have it."""
        numbers = np.array(self.data.X.numbers)
        numbers[self.context(tmp_path).train_rows, 0] = np.nan
        data = dataclasses.replace(self.data, X=Table(numbers, self.data.X.texts))
        assert_scores(self.fit(tmp_path, data=data).predict(data.X), data)

    def test_rows_unlike_any_in_training_have_finite_scores(self, tmp_path: Path) -> None:
        """Numbers of any size, nothing at all, categories nobody saw, texts without a known word."""
        fitted = self.fit(tmp_path)
        assert_scores(fitted.predict(strange(self.data.X)), self.data, rows=len(STRANGE))

    def test_the_saved_files_predict_as_the_run_does(self, tmp_path: Path) -> None:
        """By numpy and onnxruntime from the member's entry alone: all rows, an odd batch, one row, strange rows."""
        fitted = self.fit(tmp_path)
        entry = fitted.save(tmp_path)
        assert entry["output_kind"] == ("probabilities" if self.data.spec.classes else "values")
        for rows in (self.data.X, self.data.X[:7], self.data.X[3:4], strange(self.data.X)):
            served, expected = serve_table(tmp_path, entry, rows), fitted.predict(rows)
            np.testing.assert_allclose(served, expected, atol=self.tolerance, rtol=self.tolerance)

    def test_its_encoder_fits_the_rule_of_the_table(self, tmp_path: Path) -> None:
        """So that a loaded model can be checked before its first row."""
        entry: dict[str, Any] = self.fit(tmp_path).save(tmp_path)
        assert entry["features"]["kind"] == "table"
        check(encoder_of(tmp_path, entry), TableRule.from_json(self.data.spec.input))

    def test_without_time_it_ends_early_or_says_so(self, tmp_path: Path) -> None:
        """With the model that is there, or a TimeoutError; never with anything else."""
        ctx = self.context(tmp_path)
        ctx.is_timed, ctx.seconds = True, 0.0
        with contextlib.suppress(TimeoutError):
            assert_scores(self.fit(tmp_path, ctx=ctx).predict(self.data.X), self.data)

    def needs_classes(self) -> None:
        """Skip a test where the target is a number."""
        if not self.data.spec.classes:
            pytest.skip("for classes")

    def saved(self, folder: Path, data: ArrayData) -> dict[str, bytes]:
        """Return the files of a model trained on data."""
        (folder / "kept").mkdir(parents=True)
        self.fit(folder, data=data).save(folder / "kept")
        return {file.name: file.read_bytes() for file in (folder / "kept").iterdir()}


STRANGE = (np.nan, UNSEEN, 0.0, 1e9, 1e300, -1e300)
"""What stands in every column of the rows of `strange`."""


def strange(X: Table) -> Table:
    """Return rows unlike any in training, with the columns of X."""
    numbers = np.repeat(np.array(STRANGE)[:, None], X.numbers.shape[1], axis=1)
    words = ["", "zebra", "great great great", "  ", "\u4f60\u597d \U0001f600", "a" * 5000]
    return Table(numbers, tuple(Texts.of(words) for _ in X.texts))


def poisoned(data: ArrayData, rows: np.ndarray) -> ArrayData:
    """Return the data with garbage in the numbers, texts and targets of these rows."""
    rng = np.random.default_rng(99)
    numbers, y = np.array(data.X.numbers), data.y.copy()
    numbers[rows] = rng.permuted(numbers[rows], axis=0) * rng.choice([1.0, -1.0, 1e6, np.nan], numbers[rows].shape)
    y[rows] = rng.permutation(y[rows]) if data.spec.classes else 1e6 * rng.normal(size=len(rows))
    texts = []
    for column in data.X.texts:
        words = list(column)
        for row in rows.tolist():
            words[row] = f"poison {row} poison"
        texts.append(Texts.of(words))
    return dataclasses.replace(data, X=Table(numbers, tuple(texts)), y=y)


def two_classes(data: ArrayData) -> ArrayData:
    """Return the data with its first class against the others."""
    y = (data.y > 0).astype(np.int64)
    counts = tuple(np.bincount(y).tolist())
    spec = dataclasses.replace(data.spec, classes=("no", "yes"), class_counts=counts, fingerprint="two classes")
    return dataclasses.replace(data, y=y, spec=spec)


def assert_scores(predicted: np.ndarray, data: ArrayData, *, rows: int | None = None) -> None:
    """Make sure that scores have the shape and the range of the task, by default one row for each of the data."""
    wanted = (data.spec.rows if rows is None else rows, *((len(data.spec.classes),) if data.spec.classes else ()))
    assert predicted.shape == wanted
    assert predicted.dtype == np.float32
    assert np.isfinite(predicted).all()
    if data.spec.classes:
        assert (predicted >= 0).all()
        np.testing.assert_allclose(predicted.sum(axis=1), 1, atol=1e-5)


def encoder_of(folder: Path, entry: dict[str, Any]) -> dict[str, Any]:
    """Return the plan of encoding that a member's entry names."""
    plan: dict[str, Any] = json.loads((folder / entry["features"]["encoder"]).read_text(encoding="utf-8"))
    return plan


def serve_table(folder: Path, entry: dict[str, Any], X: Table) -> np.ndarray:
    """Return what an artifact would predict for these rows from a member's files and manifest entry."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(folder / entry["file"]), providers=["CPUExecutionProvider"])
    inputs = compute(encoder_of(folder, entry), X)
    predicted: np.ndarray = session.run([entry["output"]], {entry["input"]: inputs})[0]
    return predicted
