"""What every candidate that is a plan of encoding and a graph must hold to: tables, texts and series add their rows."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from abc import abstractmethod
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.core.protocols import Fitted
from automl.serving.encoders import encoder_of
from automl.testing.context import ArrayData
from automl.testing.member_suite import MemberContract


class EncodedCandidateContract(MemberContract):
    """The laws that hold for all of them. Inherit from the suite of a kind of rows instead."""

    @abstractmethod
    def strange(self) -> Any:
        """Return rows unlike any in training."""

    @abstractmethod
    def poisoned(self, rows: np.ndarray) -> ArrayData:
        """Return the data with garbage in these rows and their targets."""

    @abstractmethod
    def rule(self) -> Any:
        """Return the rule by which what a user has becomes rows."""

    def test_it_serves_the_task_of_its_data(self) -> None:
        """It says so itself."""
        assert set(self.candidate.tasks) & {"tabular-clf", "tabular-reg", "text-clf", "sequence-clf"}

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
        """With garbage in their values and targets, every saved file is the same to the byte."""
        clean = self.saved(tmp_path / "clean", self.data)
        assert clean == self.saved(tmp_path / "poisoned", self.poisoned(self.context(tmp_path).valid_rows))

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

    def test_rows_unlike_any_in_training_have_finite_scores(self, tmp_path: Path) -> None:
        """Whatever they hold."""
        rows = self.strange()
        assert_scores(self.fit(tmp_path).predict(rows), self.data, rows=len(rows))

    def test_the_saved_files_predict_as_the_run_does(self, tmp_path: Path) -> None:
        """By numpy and onnxruntime from the member's entry alone: all rows, an odd batch, one row, strange rows."""
        fitted = self.fit(tmp_path)
        entry = fitted.save(tmp_path)
        assert entry["output_kind"] == ("probabilities" if self.data.spec.classes else "values")
        for rows in (self.data.X, self.data.X[:7], self.data.X[3:4], self.strange()):
            served, expected = serve(tmp_path, entry, rows), fitted.predict(rows)
            np.testing.assert_allclose(served, expected, atol=self.tolerance, rtol=self.tolerance)

    def test_a_row_is_answered_alone_as_among_others(self, tmp_path: Path) -> None:
        """Whatever its neighbours, longer ones included."""
        fitted = self.fit(tmp_path)
        together = fitted.predict(self.data.X[:12])
        alone = np.concatenate([fitted.predict(self.data.X[row : row + 1]) for row in range(12)])
        np.testing.assert_allclose(alone, together, atol=self.tolerance, rtol=self.tolerance)

    def test_its_encoder_fits_the_rule_of_the_data(self, tmp_path: Path) -> None:
        """So that a loaded model can be checked before its first row."""
        entry = self.fit(tmp_path).save(tmp_path)
        features: Any = entry["features"]
        import_module(f"automl.serving.{features['kind']}_encoder").check(plan_of(tmp_path, entry), self.rule())

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
        fitted: Fitted = self.fit(folder, data=data)
        fitted.save(folder / "kept")
        return {file.name: file.read_bytes() for file in (folder / "kept").iterdir()}


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


def plan_of(folder: Path, entry: dict[str, Any]) -> dict[str, Any]:
    """Return the plan of encoding that a member's entry names."""
    plan: dict[str, Any] = json.loads((folder / entry["features"]["encoder"]).read_text(encoding="utf-8"))
    return plan


def serve(folder: Path, entry: dict[str, Any], X: Any) -> np.ndarray:
    """Return what an artifact would predict for these rows from a member's files and manifest entry."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(folder / entry["file"]), providers=["CPUExecutionProvider"])
    inputs = encoder_of(entry["features"]["kind"], plan_of(folder, entry)).compute(X)
    predicted: np.ndarray = session.run([entry["output"]], {entry["input"]: inputs})[0]
    return predicted
