"""What every image candidate must hold to; built-in ones are run through it, and authors of plugins inherit it.

class TestMine(CandidateContract):
    candidate = CANDIDATE
    configuration = Configuration("mine", {"width": 8})
    steps = 4
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from automl.serving.image_features import compute
from automl.testing.context import ArrayData, striped_images
from automl.testing.member_suite import MemberContract, with_one_class


class CandidateContract(MemberContract):
    """Inherit, name your class Test…, and set what is your own.

    Attributes:
        candidate: the candidate.
        configuration: a cheap configuration of it.
        module: where it is found; by default where its class is.
        space: its search space; None skips what needs it.
        data: at least 60 rows of three classes, learnable.
        steps: steps of full training, 1 for a candidate that trains in one go. Three of them must be quick.
        cuts: where training is cut to test that it can be continued, the last being `steps`; empty if it has no cut.
        tolerance: how far probabilities of the exported file may lie from those in the run.
        learns: whether it must beat guessing on `data`.
    """

    data: ClassVar[ArrayData] = striped_images(90)
    cuts: ClassVar[tuple[int, ...]] = ()

    def test_predictions_are_probabilities(self, tmp_path: Path) -> None:
        """Rows of float32 that sum to one, also for no row at all."""
        fitted = self.fit(tmp_path)
        predicted = fitted.predict(self.data.X)
        assert predicted.shape == (self.data.spec.rows, len(self.data.spec.classes))
        assert predicted.dtype == np.float32
        assert predicted.min() >= 0
        np.testing.assert_allclose(predicted.sum(axis=1), 1, atol=1e-5)
        assert fitted.predict(self.data.X[:0]).shape == (0, len(self.data.spec.classes))

    def test_it_beats_guessing(self, tmp_path: Path) -> None:
        """On rows it was not trained on."""
        if not self.learns:
            pytest.skip("learns nothing")
        ctx = self.context(tmp_path)
        predicted = self.fit(tmp_path).predict(self.data.X[ctx.valid_rows])
        assert ctx.metric.score(self.data.y[ctx.valid_rows], predicted) > 1.5 / ctx.classes

    def test_validation_rows_teach_nothing(self, tmp_path: Path) -> None:
        """A model trained beside garbage in the validation rows is the same model."""
        rows = self.context(tmp_path).valid_rows
        X = self.data.X.copy()
        X[rows] = 255 - X[rows][::-1]
        poisoned = dataclasses.replace(with_one_class(self.data, rows), X=X)
        clean = self.fit(tmp_path / "clean").predict(self.data.X)
        np.testing.assert_array_equal(clean, self.fit(tmp_path / "poisoned", data=poisoned).predict(self.data.X))

    def test_without_validation_rows_it_trains_on_all(self, tmp_path: Path) -> None:
        """As a refit does."""
        ctx = self.context(tmp_path)
        ctx.train_rows, ctx.valid_rows = np.arange(self.data.spec.rows), np.arange(0)
        assert self.fit(tmp_path, ctx=ctx).predict(self.data.X[:5]).shape == (5, ctx.classes)
        assert all(score is None for _, score, _ in ctx.reports)

    def test_a_class_without_training_rows_still_has_a_column(self, tmp_path: Path) -> None:
        """Its probability is small; the others are learned as ever."""
        ctx = self.context(tmp_path)
        ctx.train_rows = ctx.train_rows[self.data.y[ctx.train_rows] != 1]
        predicted = self.fit(tmp_path, ctx=ctx).predict(self.data.X)
        assert predicted.shape[1] == ctx.classes
        assert np.isfinite(predicted).all()
        assert predicted[:, 1].mean() < 1 / ctx.classes

    def test_one_class_alone_is_survived(self, tmp_path: Path) -> None:
        """Rare classes can leave a fold so."""
        ctx = self.context(tmp_path)
        ctx.train_rows = ctx.train_rows[self.data.y[ctx.train_rows] == 2]
        predicted = self.fit(tmp_path, ctx=ctx).predict(self.data.X)
        assert np.isfinite(predicted).all()
        assert (predicted.argmax(axis=1) == 2).mean() > 0.5

    def test_two_classes_and_colour_work(self, tmp_path: Path) -> None:
        """Images that are not square, with three channels."""
        data = striped_images(40, classes=2, shape=(12, 9, 3))
        predicted = self.fit(tmp_path, data=data, ctx=self.context(tmp_path, data)).predict(data.X)
        np.testing.assert_allclose(predicted.sum(axis=1), 1, atol=1e-5)

    def test_the_saved_file_predicts_as_the_run_does(self, tmp_path: Path) -> None:
        """In onnxruntime from the manifest entry alone, for all rows, an odd batch and a single row."""
        fitted = self.fit(tmp_path)
        entry = fitted.save(tmp_path)
        for rows in (self.data.X, self.data.X[:7], self.data.X[3:4]):
            np.testing.assert_allclose(serve(tmp_path, entry, rows), fitted.predict(rows), atol=self.tolerance)

    def test_training_in_parts_equals_training_at_once(self, tmp_path: Path) -> None:
        """Continued from checkpoints, step by step of a ladder."""
        if not self.cuts:
            pytest.skip("trains in one go")
        at_once = self.fit(tmp_path / "once").predict(self.data.X)
        ctx, start = self.context(tmp_path / "parts"), 0
        for cut in self.cuts:
            fitted = self.fit(tmp_path, ctx=ctx, start=start, stop=cut)
            ctx.checkpoint, start = tmp_path / f"at-{cut}", cut
            ctx.checkpoint.mkdir()
            fitted.save_checkpoint(ctx.checkpoint)
        np.testing.assert_allclose(fitted.predict(self.data.X), at_once, atol=1e-6)


def serve(folder: Path, entry: dict[str, Any], X: np.ndarray) -> np.ndarray:
    """Return what an artifact would predict for these images from a member's files and manifest entry."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(folder / entry["file"]), providers=["CPUExecutionProvider"])
    assert entry["output_kind"] == "probabilities"
    predicted: np.ndarray = session.run([entry["output"]], {entry["input"]: compute(entry["features"], X)})[0]
    return predicted
