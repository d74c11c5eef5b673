"""Builders of histories, recorded runs and workloads: what tests of other parts stand on."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import numpy as np
import pytest

from automl.core.events import Decided, JobEnded, JobPlanned, RunEnded, RunStarted
from automl.core.history import History
from automl.core.job import Outcome, Report
from automl.core.space import Configuration
from automl.testing import recorded_run as recorded
from automl.testing.candidate_suite import serve
from automl.testing.context import LocalContext, one_member, striped_images
from automl.testing.history_builder import HistoryBuilder
from automl.testing.searcher_suite import SPACE, score
from automl.testing.tiny import (
    CLASSES,
    linear_onnx,
    png,
    tiny_artifact,
    tiny_data,
    tiny_images,
    write_image_folder,
    write_npz,
)
from automl.testing.toy_candidate import CANDIDATE as TOY
from automl.testing.workloads import ActingWorkload, ActingWorld, act, make

CNN = Configuration("cnn", {"lr": 0.1})


@pytest.mark.parametrize("folds", [1, 2, 5])
def test_a_full_trial_has_a_score_for_each_fold(folds: int) -> None:
    builder = HistoryBuilder(folds=folds)
    number = builder.full(CNN, [0.1 * f for f in range(folds)])
    assert builder.history.trials[number].status == "full"
    assert builder.history.trials[number].reports[builder.history.top_rung] == pytest.approx(0.05 * (folds - 1))


def test_trials_end_in_the_state_that_was_asked_for() -> None:
    builder = HistoryBuilder()
    numbers = [builder.paused(CNN, 0.5), builder.stopped(CNN, 0.4), builder.failed(CNN), builder.start(CNN)]
    states = [builder.history.trials[number].status for number in numbers]
    assert states == ["paused", "stopped", "failed", "running"]


@pytest.mark.parametrize("outcome", ["error", "nan", "oom"])
def test_a_failure_can_be_of_each_kind(outcome: Outcome) -> None:
    builder = HistoryBuilder()
    number = builder.failed(CNN, outcome=outcome)
    assert builder.history.trials[number].status == "failed"


def test_a_promoted_trial_climbs() -> None:
    builder = HistoryBuilder()
    number = builder.paused(CNN, 0.5)
    builder.promote(number, rung=1)
    builder.end(number, [0.6])
    assert builder.history.trials[number].reports[1] == 0.6


def test_scores_that_are_too_few_are_refused() -> None:
    builder = HistoryBuilder(folds=2)
    with pytest.raises(ValueError, match=r"trial 0: one score for each of 2 members. Got \[0.5\]"):
        builder.full(CNN, [0.5])


@pytest.mark.parametrize("count", [1, 2, 4, None])
def test_a_replay_of_the_events_is_the_history_at_that_time(count: int | None) -> None:
    builder = HistoryBuilder()
    builder.full(CNN, [0.8, 0.9])
    builder.failed(CNN)
    expected = History()
    for event in builder.events[:count]:
        expected.apply(event)
    assert builder.replayed(count) == expected


def test_the_searchers_world_prefers_one_candidate_and_a_middle_rate() -> None:
    best = {name: max(score(space.sample(np.random.default_rng(s))) for s in range(40))
            for name, space in SPACE.candidates.items()}  # fmt: skip
    assert best["baseline"] < best["linear"] < best["cnn"]


@pytest.mark.parametrize("trials", [1, 4])
@pytest.mark.parametrize("seed", [0, 5])
def test_a_recorded_run_can_be_replayed_and_its_files_are_there(trials: int, seed: int, tmp_path: Path) -> None:
    events, history = recorded.recorded_run(tmp_path, seed=seed, trials=trials), History()
    for event in events:
        history.apply(event)
    assert len(history.full()) == trials
    files = [f for e in events if isinstance(e, JobEnded) for m in e.result.members for f in m.files]
    assert all((tmp_path / file.path).is_file() for file in files)


def test_a_recorded_run_begins_with_its_start_and_ends_with_its_end(tmp_path: Path) -> None:
    events = recorded.recorded_run(tmp_path)
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunEnded)
    planned = {e.job.id for e in events if isinstance(e, JobPlanned)}
    assert planned == {e.result.job for e in events if isinstance(e, JobEnded)}


def test_a_recorded_decision_names_the_manifest_that_lies_there(tmp_path: Path) -> None:
    decided = next(e for e in recorded.recorded_run(tmp_path) if isinstance(e, Decided))
    manifest = (tmp_path / decided.artifact / "manifest.json").read_bytes()
    assert decided.manifest_sha256 == hashlib.sha256(manifest).hexdigest()


def test_recorded_predictions_are_probabilities_of_the_rows_of_their_fold(tmp_path: Path) -> None:
    recorded.recorded_run(tmp_path, trials=2)
    for path in tmp_path.glob("members/*/oof.npy"):
        found = np.load(path)
        assert found.shape in {(12, len(recorded.CLASSES)), (9, len(recorded.CLASSES))}
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(("what", "outcome"), [("done", "done"), ("report", "done"), ("raise", "error")])
def test_a_workload_ends_as_it_was_told(what: str, outcome: str) -> None:
    reports: list[Report] = []
    result = make({"greeting": "hi"}).run(act(3, what, seconds=0), reports.append, float("inf"))
    assert [m.outcome for m in result.members] == [outcome]
    assert len(reports) == (3 if what == "report" else 0)


@pytest.mark.parametrize(("what", "outcome"), [("done", "stopped"), ("deaf", "done")])
def test_a_deadline_is_obeyed_or_not_as_it_was_told(what: str, outcome: str) -> None:
    result = ActingWorkload("hi").run(act(0, what, seconds=0.03), lambda _: None, time.monotonic())
    assert result.members[0].outcome == outcome


@pytest.mark.parametrize(("what", "outcome"), [("done", "done"), ("die", "lost"), ("exit", "lost"), ("raise", "error")])
def test_the_same_acts_happen_in_simulated_time(what: str, outcome: str) -> None:
    result = ActingWorld().run(act(0, what, seconds=7.5))
    assert (result.members[0].outcome, result.held_seconds) == (outcome, 7.5)


def toy(what: str, *, folder: Path, start: int = 0, stop: int = 5, **given: object) -> tuple[object, LocalContext]:
    configuration = Configuration("toy", {"what": what})
    ctx = LocalContext(np.arange(4), np.arange(4, 6), 3, folder, **given)  # type: ignore[arg-type]
    return TOY.fit(one_member(configuration, start=start, stop=stop), configuration, striped_images(6), ctx), ctx


@pytest.mark.parametrize(("what", "steps"), [("train", 5), ("short", 4), ("mad", 5)])
def test_the_toy_reports_each_step(what: str, steps: int, tmp_path: Path) -> None:
    model, ctx = toy(what, folder=tmp_path)
    assert [step for step, _, _ in ctx.reports] == list(range(1, steps + 1))
    assert np.isfinite(model.predict(np.zeros(2))).all() == (what != "mad")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("what", "error", "message"),
    [
        ("oom", MemoryError, "4 GB"),
        ("nan", FloatingPointError, "loss is nan"),
        ("error", ValueError, "two lines"),
        ("late", TimeoutError, "no time"),
    ],
)
def test_the_toy_fails_as_it_was_told(what: str, error: type[Exception], message: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=message):
        toy(what, folder=tmp_path)


def test_the_toy_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    first, _ = toy("train", folder=tmp_path, stop=2)
    first.save_checkpoint(tmp_path)  # type: ignore[attr-defined]
    _, ctx = toy("train", folder=tmp_path, start=2, checkpoint=tmp_path)
    assert [step for step, _, _ in ctx.reports] == [3, 4, 5]


def test_the_toy_stops_where_it_is_asked_to(tmp_path: Path) -> None:
    _, ctx = toy("train", folder=tmp_path, stop_after=2)
    assert len(ctx.reports) == 2


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("classes", [2, 3, 5])
def test_tiny_images_are_learnable_at_any_size(classes: int, channels: int) -> None:
    arrays = tiny_images(40, classes, side=10, channels=channels)
    X, y = np.asarray(arrays.X).astype(float), np.asarray(arrays.y)
    means = np.stack([X[y == code].mean(axis=0) for code in range(classes)])
    nearest = ((X[:, None] - means[None]) ** 2).sum(axis=(2, 3, 4)).argmin(axis=1)
    assert (nearest == y).mean() > 0.95


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3), (4, 5, 4)], ids=str)
def test_a_png_holds_its_pixels(shape: tuple[int, ...]) -> None:
    import io

    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    read = np.asarray(Image.open(io.BytesIO(png(pixels))))
    np.testing.assert_array_equal(read, pixels[:, :, 0] if shape[2:] == (1,) else pixels)


def test_a_tiny_npz_and_a_tiny_folder_hold_the_same_images(tmp_path: Path) -> None:
    arrays = tiny_images(12)
    with np.load(write_npz(tmp_path / "a.npz", arrays), allow_pickle=False) as stored:
        counts = np.bincount(stored["y"]).tolist()
    root = write_image_folder(tmp_path / "d", arrays)
    assert counts == [len(list((root / name).iterdir())) for name in CLASSES[:3]]


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("seed", [0, 3])
def test_a_linear_onnx_gives_probabilities(classes: int, seed: int, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(linear_onnx((4, 4, 1), classes, seed=seed))
    entry = {"file": "m.onnx", "features": {"kind": "pixels"}, "input": "input", "output": "probabilities",
             "output_kind": "probabilities"}  # fmt: skip
    found = serve(tmp_path, entry, np.zeros((3, 4, 4, 1), np.uint8))
    np.testing.assert_allclose(found, 1 / classes, atol=1e-6)


@pytest.mark.parametrize(("side", "classes", "channels"), [(4, 2, 1), (8, 3, 3), (16, 5, 1)])
def test_a_tiny_artifact_fits_its_tiny_data(side: int, classes: int, channels: int, tmp_path: Path) -> None:
    from automl.serving.model import Model

    tiny_artifact(tmp_path / "m", tmp_path / "cache", side=side, classes=classes, channels=channels)
    data = tiny_data(tmp_path / "cache", side=side, classes=classes, channels=channels)
    assert Model.load(tmp_path / "m").predict_scores(data.X).shape == (60, classes)
