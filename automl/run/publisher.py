"""Puts artifacts in place: each complete and beside the one before, then swapped in one step."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automl.core.clock import Clock
from automl.core.events import Exported, RunStarted, Winner
from automl.core.history import History
from automl.core.protocols import ExportMember
from automl.exporters.artifact import swap, write_artifact
from automl.run.folder import RunFolder
from automl.serving.calibration import calibrate

KEPT_ARTIFACTS = 2
"""The current artifact and the one before, which somebody may be reading."""


@dataclass
class ArtifactPublisher:
    """Writes the artifact of some weighted trials from their files in the run folder.

    Attributes:
        is_refit: take the models trained on all rows instead of the models of the folds.
    """

    folder: RunFolder
    started: RunStarted
    clock: Clock
    is_refit: bool = False

    def publish(self, history: History, weights: dict[int, float], at: float) -> Exported:
        """Write an artifact and swap it in; its score is the plain cross-validated one."""
        began = self.clock.now()
        score = sum(w * history.trials[t].reports[history.top_rung] for t, w in weights.items())
        target, sha256 = self.write(history, weights, {"cv": score})
        self.put_in_place(target)
        name = target.relative_to(self.folder.path).as_posix()
        return Exported(name, sha256, tuple(weights), score, self.clock.now() - began, at)

    def write_final(self, history: History, winner: Winner) -> tuple[Path, str]:
        """Write the winner's artifact beside the others; returns its folder and the hash of its manifest."""
        scores = scores_json(winner, self.started.metric)
        return self.write(
            history, winner.weights, scores, calibration=winner.calibration, decision=winner.decision
        )  # fmt: skip

    def write(
        self,
        history: History,
        weights: dict[int, float],
        scores: dict[str, object],
        *,
        calibration: Mapping[str, Any] | None = None,
        decision: Mapping[str, Any] | None = None,
    ) -> tuple[Path, str]:
        """Write an artifact beside the others; returns its folder and the hash of its manifest.

        Args:
            history: of the run.
            weights: trial → weight.
            scores: what the manifest says about its quality.
            calibration: from the models' mean to probabilities; none for none.
            decision: from probabilities to labels; none for the likeliest class.
        """
        number = 1 + max((int(p.name) for p in self._numbered()), default=0)
        target = self.folder.artifacts / f"{number:04d}"
        started = self.started
        sha256 = write_artifact(
            target,
            spec=started.spec,
            members=self.members(history, weights),
            task=started.request.task,
            metric=started.metric,
            scores=scores,
            versions=started.versions,
            run_name=started.name,
            calibration=calibration or {},
            decision=decision or {},
            deploy="refit" if self.is_refit else "bag",
        )
        return target, sha256

    def put_in_place(self, target: Path) -> None:
        """Make an artifact the current one, in one step, and delete those that were long replaced."""
        swap(self.folder.artifact, target)
        older = sorted((p for p in self._numbered() if int(p.name) < int(target.name)), key=lambda p: int(p.name))
        for folder in older[: max(0, len(older) - KEPT_ARTIFACTS + 1)]:
            shutil.rmtree(folder, ignore_errors=True)

    def members(self, history: History, weights: dict[int, float]) -> list[ExportMember]:
        """Return the models with their weights: a trial's weight is shared by its folds.

        Of rows in order of time the last fold alone is taken: the others have not learned from the latest rows.
        """
        folds = range(history.folds)[-1:] if self.started.spec.split == "time" else range(history.folds)
        out = []
        for number, weight in weights.items():
            trial = history.trials[number]
            results = [history.refits[number]] if self.is_refit else [trial.results[f] for f in folds]
            for result in results:
                folder = self.folder.files_of(result)
                candidate = trial.configuration.candidate
                out.append(ExportMember(number, result.fold, weight / len(results), candidate, folder))
        return out

    def _numbered(self) -> list[Path]:
        return [p for p in self.folder.artifacts.glob("[0-9]*") if p.name.isdigit()]


def sample_scores(members: Sequence[ExportMember], calibration: Mapping[str, Any] | None = None) -> np.ndarray:
    """Return what the run's own models gave for the sample rows, weighted and calibrated as in the artifact."""
    samples = [m.weight * np.load(m.folder / "sample.npy", allow_pickle=False).astype(np.float64) for m in members]
    return np.asarray(calibrate(np.sum(samples, axis=0), calibration or {}), dtype=np.float32)


def scores_json(winner: Winner, metric: str) -> dict[str, object]:
    """Return what the manifest says about the model's quality, as JSON values."""
    return {
        "metric": metric, "cv": winner.cv, "se": winner.se, "corrected": winner.corrected, "low": winner.low,
        "high": winner.high, "p_better": winner.p_better, "method": winner.method,
    }  # fmt: skip
