"""A candidate that learns nothing and misbehaves as its configuration says: what the worker is held against."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from automl.core.data import DataSpec
from automl.core.job import Cost, Job
from automl.core.protocols import Context, DataSource
from automl.core.space import Configuration

_ERRORS: dict[str, Exception] = {
    "oom": MemoryError("4 GB are needed"),
    "nan": FloatingPointError("the loss is nan at step 2"),
    "error": ValueError("two lines\nof text"),
    "late": TimeoutError("no time for a step"),
}


@dataclass
class ToyModel:
    """Predicts the same probability for every class, or what is no number."""

    best_step: int
    steps: int
    classes: int
    is_sane: bool = True

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return (rows, classes) float32."""
        value = 1.0 / self.classes if self.is_sane else float("nan")
        return np.full((len(X), self.classes), value, np.float32)

    def save(self, folder: Path) -> dict[str, object]:
        """Write a file that is called a model."""
        (folder / "model.onnx").write_bytes(b"toy")
        return {"file": "model.onnx", "features": {"kind": "pixels"}, "input": "x", "output": "p"}

    def save_checkpoint(self, folder: Path) -> None:
        """Write how far training got."""
        (folder / "checkpoint.json").write_text(json.dumps({"steps": self.steps}), encoding="utf-8")


class ToyCandidate:
    """Implements `automl.core.protocols.Candidate`.

    Its one parameter `what`: "train", one of the errors, "mad" (predictions that are no numbers), "short" (stops a step
    early), "slow" (until there is no time left).
    """

    name = "toy"
    tasks = ("image-clf",)
    requires = ()
    is_probed = True

    def estimate(self, spec: DataSpec, configuration: Configuration, rows: int) -> Cost:
        """Return a millisecond per step."""
        return Cost(0.0, 0.001)

    def probe(self, data: DataSource, configuration: Configuration, ctx: Context) -> Cost:
        """Return the estimate, and note that it was asked for."""
        self._misbehave(configuration)
        ctx.note("precision", "float32")
        return self.estimate(data.spec, configuration, len(ctx.train_rows))

    def fit(self, job: Job, configuration: Configuration, data: DataSource, ctx: Context) -> ToyModel:
        """Report a rising score after each step."""
        self._misbehave(configuration)
        done = self._resumed(ctx)
        what = configuration.values["what"]
        for step in range(done + 1, job.stop_steps + 1 - (what == "short")):
            done = step
            if ctx.report(step, min(step, 3) / 10, train_loss=1.0 / step):
                break
            while what == "slow" and ctx.seconds_left() > 0:
                time.sleep(0.005)
            if ctx.seconds_left() <= 0:
                break
        ctx.note("rows", str(len(ctx.train_rows)))
        return ToyModel(done, done, ctx.classes, is_sane=what != "mad")

    def _resumed(self, ctx: Context) -> int:
        if ctx.checkpoint is None:
            return 0
        return int(json.loads((ctx.checkpoint / "checkpoint.json").read_bytes())["steps"])

    def _misbehave(self, configuration: Configuration) -> None:
        error = _ERRORS.get(str(configuration.values["what"]))
        if error is not None:
            raise error


CANDIDATE = ToyCandidate()
