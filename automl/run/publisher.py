"""Puts artifacts in place: each complete and beside the one before, then swapped in one step."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from automl.core.clock import Clock
from automl.core.events import Exported, RunStarted, Winner
from automl.core.history import History
from automl.core.protocols import ExportMember
from automl.exporters.artifact import swap, write_artifact
from automl.run.folder import RunFolder

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

    def write(self, history: History, weights: dict[int, float], scores: dict[str, object]) -> tuple[Path, str]:
        """Write an artifact beside the others; returns its folder and the hash of its manifest."""
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
        )
        return target, sha256

    def put_in_place(self, target: Path) -> None:
        """Make an artifact the current one, in one step, and delete those that were long replaced."""
        swap(self.folder.artifact, target)
        older = sorted((p for p in self._numbered() if int(p.name) < int(target.name)), key=lambda p: int(p.name))
        for folder in older[: max(0, len(older) - KEPT_ARTIFACTS + 1)]:
            shutil.rmtree(folder, ignore_errors=True)

    def members(self, history: History, weights: dict[int, float]) -> list[ExportMember]:
        """Return the models with their weights: a trial's weight is shared by its folds."""
        out = []
        for number, weight in weights.items():
            trial = history.trials[number]
            results = [history.refits[number]] if self.is_refit else [trial.results[f] for f in range(history.folds)]
            for result in results:
                folder = self.folder.files_of(result)
                candidate = trial.configuration.candidate
                out.append(ExportMember(number, result.fold, weight / len(results), candidate, folder))
        return out

    def _numbered(self) -> list[Path]:
        return [p for p in self.folder.artifacts.glob("[0-9]*") if p.name.isdigit()]


def sample_scores(members: Sequence[ExportMember]) -> np.ndarray:
    """Return what the run's own models gave for the sample rows, weighted as in the artifact."""
    samples = [m.weight * np.load(m.folder / "sample.npy", allow_pickle=False) for m in members]
    return np.asarray(sum(samples), dtype=np.float32)


def scores_json(winner: Winner, metric: str) -> dict[str, object]:
    """Return what the manifest says about the model's quality, as JSON values."""
    return {
        "metric": metric, "cv": winner.cv, "se": winner.se, "corrected": winner.corrected, "low": winner.low,
        "high": winner.high, "p_better": winner.p_better, "method": winner.method,
    }  # fmt: skip
