"""A small finished run, files and events, made up from numbers: what recorders and reports are tested with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from automl.core.data import DataSpec
from automl.core.events import (
    Decided,
    Event,
    JobEnded,
    JobPlanned,
    PhaseChanged,
    RunEnded,
    RunStarted,
    TestScore,
    TrialStopped,
    Winner,
)  # fmt: skip
from automl.core.job import FileRef, Job, JobResult, Member, MemberResult
from automl.core.request import SearchRequest
from automl.core.seeds import stream
from automl.core.space import Configuration

CLASSES = ("cat", "dog", "owl")
ROWS, FOLDS, TOP_RUNG = 30, 3, 3
STARTED = 1_790_000_000.0


def recorded_run(folder: Path, *, seed: int = 0, trials: int = 4, corrected: float = 0.75,
                 predicts_numbers: bool = False) -> list[Event]:  # fmt: skip
    """Write the files of a run of full trials, one stopped and one failed, into folder and return its events.

    Args:
        folder: the run folder.
        seed: of everything that is drawn.
        trials: full ones.
        corrected: score of the winner.
        predicts_numbers: a table with a number to predict instead of images with classes.
    """
    rng = stream(seed, "recorded run")
    y = np.linspace(100.0, 5000.0, ROWS) if predicts_numbers else np.arange(ROWS) % len(CLASSES)
    folds = (np.arange(ROWS) // len(CLASSES) % FOLDS).astype(np.int8)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    np.save(folder / "data" / "y.npy", y)
    np.save(folder / "folds.npy", folds)
    events: list[Event] = [_numbers_started(folder, seed) if predicts_numbers else _started(folder, seed)]
    for number in range(trials):
        events += _full_trial(folder, number, folds, rng)
    if predicts_numbers:
        _write_values(folder, y, folds, rng)
    events += [*_stopped(trials), *_failed(trials + 1), PhaseChanged("finalising", "budget", 50.0)]
    winner = Winner("ensemble", "cnn", {0: 0.5, 1: 0.5}, 0.8, 0.02, corrected, 0.7, 0.85, 0.99, "made up")
    metrics = {"rmse": 0.7, "mae": 0.5} if predicts_numbers else {"accuracy": 0.7, "log_loss": 0.9}
    test = TestScore(next(iter(metrics)), 0.7, 0.6, 0.8, metrics, 12)
    events.append(Decided(winner, "artifacts/0001", _artifact(folder / "artifacts" / "0001"), test, 55.0))
    (folder / "report.html").write_text("<p>report</p>", encoding="utf-8")
    return [*events, RunEnded("done", "the budget is spent", 60.0)]


def _started(folder: Path, seed: int) -> RunStarted:
    spec = DataSpec("pets & co", "image", ROWS, (4, 4, 3), CLASSES, (10, 10, 10), "ab" * 32)
    return RunStarted(
        f"pets-{seed}", SearchRequest("image-clf", data="./pets", tracking_uri="http://a:secret@host"), seed, spec, (),
        {"cnn": 'candidate = "cnn"\n'}, {"cnn": "built-in"}, "cd" * 32, (), {"automl": "0.1.0"}, STARTED + seed,
        "accuracy", FOLDS, 1, "cpu", str(folder / "data"),
    )  # fmt: skip


def _numbers_started(folder: Path, seed: int) -> RunStarted:
    """Return the first event of a run on a table with a number to predict."""
    columns = [{"name": "area", "kind": "number"}, {"name": "town", "kind": "category", "categories": ["A", "B"]}]
    told = {"area": "number", "town": "category", "id": "identifier, left out"}
    rule = {"kind": "table", "columns": columns}
    spec = DataSpec("houses", "table", ROWS, (2,), (), (), "ef" * 32, rule, target="price", columns=told)
    request = SearchRequest("tabular-reg", data="./houses.csv", target="price")
    return replace(_started(folder, seed), name=f"houses-{seed}", request=request, spec=spec, metric="rmse")


def _write_values(folder: Path, y: np.ndarray, folds: np.ndarray, rng: np.random.Generator) -> None:
    """Put values near the true ones in place of the probabilities that members gave."""
    for place in (folder / "members").iterdir():
        true = y[folds == int(place.name.rpartition("-f")[2])]
        np.save(place / "oof.npy", (true + rng.normal(0, 100, len(true))).astype(np.float32))


def _configuration(number: int) -> Configuration:
    return Configuration("cnn", {"lr": 0.1 / (1 + number), "norm": ("batch", "layer")[number % 2]})


def _full_trial(folder: Path, number: int, folds: np.ndarray, rng: np.random.Generator) -> Iterator[Event]:
    for fold in range(FOLDS):
        member = Member(number, fold, _configuration(number))
        id_, at = number * FOLDS + fold, 1.0 + number * FOLDS + fold
        yield JobPlanned(Job(id_, (member,), TOP_RUNG, 0, 9, 9, keep_model=True), at, member.configuration)
        files = _member_files(folder, member, int(np.sum(folds == fold)), rng)
        scores = np.sort(rng.uniform(0.4, 0.9, 3))
        curve = tuple((3 * i + 3, float(s)) for i, s in enumerate(scores))
        result = MemberResult(number, fold, "done", float(scores[-1]), curve, ((3, 1.0), (6, 0.5)), 9, 9, files,
                              latency_ms=0.5, notes={"precision": "float32"})  # fmt: skip
        yield JobEnded(JobResult(id_, (result,), 0.8, "w0"), at + 0.9, 0.8)


def _member_files(folder: Path, member: Member, rows: int, rng: np.random.Generator) -> tuple[FileRef, ...]:
    place = folder / "members" / member.name
    place.mkdir(parents=True, exist_ok=True)
    np.save(place / "oof.npy", rng.dirichlet(np.ones(len(CLASSES)), rows).astype(np.float32))
    (place / "model.onnx").write_bytes(b"not really a model")
    return tuple(FileRef(f"members/{member.name}/{n}", "00" * 32, 18) for n in ("model.onnx", "oof.npy"))


def _stopped(number: int) -> Iterator[Event]:
    member = Member(number, 0, _configuration(number))
    yield JobPlanned(Job(100, (member,), 0, 0, 1, 9), 30.0, member.configuration)
    yield JobEnded(JobResult(100, (MemberResult(number, 0, "done", 0.3, steps=1),), 0.5, "w0"), 31.0, 0.5)
    yield TrialStopped(number, "worse than others at rung 0", 31.5)


def _failed(number: int) -> Iterator[Event]:
    member = Member(number, 0, _configuration(number))
    yield JobPlanned(Job(101, (member,), 0, 0, 1, 9), 32.0, member.configuration)
    result = MemberResult(number, 0, "error", message="ValueError: no", traceback="Traceback …")
    yield JobEnded(JobResult(101, (result,), 0.1, "w0"), 33.0, 0.1)


def _artifact(folder: Path) -> str:
    (folder / "members").mkdir(parents=True, exist_ok=True)
    (folder / "members" / "00.onnx").write_bytes(b"not really a model")
    (folder / "requirements.txt").write_text("numpy\nonnxruntime\n", encoding="utf-8")
    manifest = json.dumps({"schema": 1, "task": "image-clf", "classes": CLASSES}).encode()
    (folder / "manifest.json").write_bytes(manifest)
    return hashlib.sha256(manifest).hexdigest()
