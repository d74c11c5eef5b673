"""What every image candidate must hold to; built-in ones are run through it, and authors of plugins inherit it.

class TestMine(CandidateContract):
    candidate = CANDIDATE
    configuration = Configuration("mine", {"width": 8})
    steps = 4
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from automl.core.protocols import Candidate, Fitted
from automl.core.space import CandidateSpace, Configuration
from automl.serving.image_features import compute
from automl.testing.context import ArrayData, LocalContext, one_member, striped_images

HEAVY = ("torch", "ray", "mlflow", "sklearn", "optuna", "pandas", "onnx", "onnxruntime", "lightgbm", "scipy")
KEPT = {".onnx", ".json", ".npy", ".safetensors", ".txt"}
_SEED = 7


class CandidateContract:
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

    candidate: ClassVar[Candidate]
    configuration: ClassVar[Configuration]
    module: ClassVar[str] = ""
    space: ClassVar[CandidateSpace | None] = None
    data: ClassVar[ArrayData] = striped_images(90)
    steps: ClassVar[int] = 1
    cuts: ClassVar[tuple[int, ...]] = ()
    tolerance: ClassVar[float] = 1e-5
    learns: ClassVar[bool] = True

    def test_it_says_what_it_is(self) -> None:
        """Name, tasks and requirements are plain text, and its configuration names it."""
        assert self.candidate.name == self.configuration.candidate
        assert self.candidate.tasks
        assert all(isinstance(text, str) for text in (*self.candidate.tasks, *self.candidate.requires))
        assert isinstance(self.candidate.is_probed, bool)

    def test_its_space_has_a_source_and_accepts_its_own_default(self) -> None:
        """The default of the space is trained like any other configuration."""
        if self.space is None:
            pytest.skip("no space given")
        assert self.space.candidate == self.candidate.name
        assert "https://" in self.space.source
        assert self.candidate.estimate(self.data.spec, self.space.default(), 60).seconds(1) > 0

    def test_its_random_configurations_can_be_estimated(self) -> None:
        """No corner of the space breaks the estimate."""
        if self.space is None:
            pytest.skip("no space given")
        rng = np.random.default_rng(0)
        drawn = [self.space.sample(rng) for _ in range(30)]
        assert all(self.candidate.estimate(self.data.spec, one, 60).seconds(1) > 0 for one in drawn)

    def test_importing_it_loads_no_heavy_package(self) -> None:
        """A list of candidates must not cost seconds."""
        module = self.module or type(self.candidate).__module__
        code = f"import sys, {module}; print([m for m in {HEAVY!r} if m in sys.modules])"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"

    def test_estimate_grows_with_rows(self) -> None:
        """More rows never cost less."""
        costs = [self.candidate.estimate(self.data.spec, self.configuration, rows) for rows in (100, 1000, 10_000)]
        seconds = [cost.seconds(10) for cost in costs]
        assert 0 < seconds[0] <= seconds[1] <= seconds[2] < float("inf")
        assert all(cost.fixed_seconds >= 0 and cost.step_seconds >= 0 and cost.peak_bytes >= 0 for cost in costs)

    def test_probe_gives_a_cost(self, tmp_path: Path) -> None:
        """A probe is positive and finite."""
        cost = self.candidate.probe(self.data, self.configuration, self.context(tmp_path))
        assert 0 < cost.seconds(1) < float("inf")

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

    def test_steps_are_counted(self, tmp_path: Path) -> None:
        """A model says how far it was trained, and its last report lies there."""
        ctx = self.context(tmp_path)
        fitted = self.fit(tmp_path, ctx=ctx)
        assert fitted.steps == self.steps
        assert 1 <= fitted.best_step <= fitted.steps
        assert ctx.reports
        assert ctx.reports[-1][0] <= self.steps

    def test_the_same_seed_gives_the_same_predictions(self, tmp_path: Path) -> None:
        """To the bit, on one machine."""
        first, second = (self.fit(tmp_path / name).predict(self.data.X) for name in ("a", "b"))
        np.testing.assert_array_equal(first, second)

    def test_validation_rows_teach_nothing(self, tmp_path: Path) -> None:
        """A model trained beside garbage in the validation rows is the same model."""
        rows = self.context(tmp_path).valid_rows
        X, y = self.data.X.copy(), self.data.y.copy()
        X[rows], y[rows] = 255 - X[rows][::-1], (y[rows] + 1) % len(self.data.spec.classes)
        poisoned = dataclasses.replace(self.data, X=X, y=y)
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

    def test_saved_files_are_of_safe_kinds(self, tmp_path: Path) -> None:
        """No pickle is among them, whatever its name."""
        fitted = self.fit(tmp_path / "cache")
        (tmp_path / "kept").mkdir()
        fitted.save(tmp_path / "kept")
        fitted.save_checkpoint(tmp_path / "kept")
        files = list((tmp_path / "kept").iterdir())
        assert {file.suffix for file in files} <= KEPT
        assert not any(file.read_bytes()[:1] == b"\x80" for file in files)

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

    def context(self, folder: Path, data: ArrayData | None = None) -> LocalContext:
        """Return a context that trains on two thirds of the rows, every class in both parts."""
        rows = np.random.default_rng(0).permutation((data or self.data).spec.rows)
        cut = len(rows) * 2 // 3
        classes = len((data or self.data).spec.classes)
        return LocalContext(rows[:cut], rows[cut:], classes, folder / "cache", seed=_SEED)

    def fit(
        self,
        folder: Path,
        *,
        data: ArrayData | None = None,
        ctx: LocalContext | None = None,
        start: int = 0,
        stop: int | None = None,
    ) -> Fitted:
        """Train one member from start to stop, by default all the way."""
        job = one_member(self.configuration, start=start, stop=stop or self.steps, full=self.steps)
        return self.candidate.fit(job, self.configuration, data or self.data, ctx or self.context(folder))


def serve(folder: Path, entry: dict[str, Any], X: np.ndarray) -> np.ndarray:
    """Return what an artifact would predict for these images from a member's files and manifest entry."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(folder / entry["file"]), providers=["CPUExecutionProvider"])
    assert entry["output_kind"] == "probabilities"
    predicted: np.ndarray = session.run([entry["output"]], {entry["input"]: compute(entry["features"], X)})[0]
    return predicted
