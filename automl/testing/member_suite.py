"""What a candidate of any kind of data must hold to; `candidate_suite` and `table_suite` add their own laws."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from automl.core.metrics import metric
from automl.core.protocols import Candidate, Fitted
from automl.core.space import CandidateSpace, Configuration
from automl.testing.context import ArrayData, LocalContext, one_member

HEAVY = ("torch", "ray", "mlflow", "sklearn", "optuna", "pandas", "pyarrow", "onnx", "onnxruntime", "lightgbm",
         "xgboost", "scipy")  # fmt: skip
KEPT = {".onnx", ".json", ".npy", ".safetensors", ".txt"}
_SEED = 7


class MemberContract:
    """The laws that hold whatever a row is. Inherit from a suite that names its data instead.

    Attributes:
        candidate: the candidate.
        configuration: a cheap configuration of it.
        module: where it is found; by default where its class is.
        space: its search space; None skips what needs it.
        data: rows to learn from.
        steps: steps of full training, 1 for a candidate that trains in one go.
        tolerance: how far scores of the exported file may lie from those in the run.
        learns: whether it must beat guessing on `data`.
    """

    candidate: ClassVar[Candidate]
    configuration: ClassVar[Configuration]
    data: ClassVar[ArrayData]
    module: ClassVar[str] = ""
    space: ClassVar[CandidateSpace | None] = None
    steps: ClassVar[int] = 1
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

    def test_saved_files_are_of_safe_kinds(self, tmp_path: Path) -> None:
        """No pickle is among them, whatever its name."""
        fitted = self.fit(tmp_path / "cache")
        (tmp_path / "kept").mkdir()
        fitted.save(tmp_path / "kept")
        fitted.save_checkpoint(tmp_path / "kept")
        files = list((tmp_path / "kept").iterdir())
        assert {file.suffix for file in files} <= KEPT
        assert not any(file.read_bytes()[:1] == b"\x80" for file in files)

    def context(self, folder: Path, data: ArrayData | None = None) -> LocalContext:
        """Return a context that trains on two thirds of the rows, every class in both parts."""
        spec = (data or self.data).spec
        rows = np.random.default_rng(0).permutation(spec.rows)
        cut, which = len(rows) * 2 // 3, metric("accuracy" if spec.classes else "rmse")
        return LocalContext(rows[:cut], rows[cut:], len(spec.classes), folder / "cache", seed=_SEED, metric=which)

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
        data = data or self.data
        return self.candidate.fit(job, self.configuration, data, ctx or self.context(folder, data))


def with_one_class(data: ArrayData, rows: np.ndarray) -> ArrayData:
    """Return the data with one class for all of these rows, the rarest of theirs, and its counts of classes.

    Classes that only changed places would leave the counts over all rows as they are, and who looks at those unseen.
    """
    classes = len(data.spec.classes)
    counts = np.bincount(data.y[rows], minlength=classes)
    y = data.y.copy()
    y[rows] = classes - 1 - int(counts[::-1].argmin())
    spec = dataclasses.replace(data.spec, class_counts=tuple(np.bincount(y, minlength=classes).tolist()))
    return dataclasses.replace(data, y=y, spec=spec)
