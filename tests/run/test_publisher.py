from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automl.core.clock import FakeClock
from automl.core.events import Winner
from automl.core.history import History
from automl.core.protocols import ExportMember
from automl.core.space import Configuration
from automl.errors import ArtifactError, RunError
from automl.model import Model
from automl.run.folder import RunFolder
from automl.run.publisher import ArtifactPublisher, sample_scores, scores_json
from automl.testing.history_builder import HistoryBuilder
from automl.testing.tiny import linear_onnx, tiny_data

WINNER = Winner("single", "cnn", {0: 1.0}, 0.8, 0.01, 0.79, 0.7, 0.85, 0.99, "bootstrap")


@pytest.fixture
def history(tmp_path: Path) -> History:
    builder = HistoryBuilder(folds=2)
    for number, scores in enumerate(([0.7, 0.9], [0.5, 0.7])):
        builder.full(Configuration("cnn", {"lr": 0.1 * (number + 1)}), scores)
    for trial in builder.history.trials.values():
        for fold, result in trial.results.items():
            write(tmp_path / Path(result.files[0].path).parent, seed=10 * trial.number + fold)
    return builder.history


def write(place: Path, *, seed: int) -> None:
    place.mkdir(parents=True)
    (place / "model.onnx").write_bytes(linear_onnx((8, 8, 3), 2, seed=seed))
    entry = {"file": "model.onnx", "features": {"kind": "pixels"}, "input": "input", "output": "probabilities"}
    (place / "member.json").write_text(json.dumps({**entry, "output_kind": "probabilities"}), encoding="utf-8")
    np.save(place / "sample.npy", np.full((4, 2), seed, np.float32))


@pytest.fixture
def publisher(tmp_path: Path, history: History) -> ArtifactPublisher:
    assert history.started is not None
    started = replace(history.started, spec=tiny_data(tmp_path / "cache", classes=2, channels=3).spec)
    return ArtifactPublisher(RunFolder(tmp_path), started, FakeClock())


def test_a_standing_artifact_is_current_and_loads(publisher: ArtifactPublisher, history: History) -> None:
    exported = publisher.publish(history, {0: 1.0}, at=5.0)
    model = Model(publisher.folder.artifact, expect_sha256=exported.manifest_sha256)
    assert (exported.folder, exported.trials, exported.at) == ("artifacts/0001", (0,), 5.0)
    assert len(model.manifest.members) == history.folds


def test_a_standing_artifacts_score_is_the_cross_validated_one(publisher: ArtifactPublisher, history: History) -> None:
    assert publisher.publish(history, {0: 1.0}, at=0.0).score == pytest.approx(0.8)
    assert publisher.publish(history, {0: 0.5, 1: 0.5}, at=0.0).score == pytest.approx(0.7)


def test_a_trials_weight_is_shared_by_its_folds(publisher: ArtifactPublisher, history: History) -> None:
    members = publisher.members(history, {0: 0.6, 1: 0.4})
    assert [(m.trial, m.fold, m.weight) for m in members] == [(0, 0, 0.3), (0, 1, 0.3), (1, 0, 0.2), (1, 1, 0.2)]


def test_the_weights_of_an_artifact_sum_to_one(publisher: ArtifactPublisher, history: History) -> None:
    assert sum(m.weight for m in publisher.members(history, {0: 0.7, 1: 0.3})) == pytest.approx(1.0)


def test_a_refit_takes_the_models_of_all_rows(publisher: ArtifactPublisher, history: History) -> None:
    history.refits[0] = replace(history.trials[0].results[1], fold=-1)
    members = replace(publisher, is_refit=True).members(history, {0: 1.0})
    assert [(m.fold, m.weight) for m in members] == [(-1, 1.0)]


def test_a_model_without_files_cannot_be_published(publisher: ArtifactPublisher, history: History) -> None:
    history.trials[0].results[1] = replace(history.trials[0].results[1], files=())
    with pytest.raises(RunError, match="trial 0, fold 1 left no files"):
        publisher.publish(history, {0: 1.0}, at=0.0)


def test_an_artifact_without_trials_is_refused(publisher: ArtifactPublisher, history: History) -> None:
    with pytest.raises(ArtifactError, match=r"needs members. Got 0"):
        publisher.write(history, {}, {})


def test_a_failed_artifact_leaves_the_one_before_in_place(publisher: ArtifactPublisher, history: History) -> None:
    publisher.publish(history, {0: 1.0}, at=0.0)
    (publisher.folder.files_of(history.trials[1].results[0]) / "model.onnx").write_bytes(b"torn")
    with pytest.raises(ArtifactError, match=r"model.onnx"):
        publisher.publish(history, {1: 1.0}, at=1.0)
    assert publisher.folder.artifact.resolve().name == "0001"
    assert [p.name for p in publisher.folder.artifacts.iterdir()] == ["0001"]


def test_artifacts_are_numbered_on_also_after_a_resume(publisher: ArtifactPublisher, history: History) -> None:
    (publisher.folder.artifacts / "0041").mkdir(parents=True)
    (publisher.folder.artifacts / "7-mine").mkdir()
    assert publisher.write(history, {0: 1.0}, {})[0].name == "0042"


def test_an_artifact_that_is_written_is_not_yet_current(publisher: ArtifactPublisher, history: History) -> None:
    publisher.publish(history, {0: 1.0}, at=0.0)
    target, _ = publisher.write(history, {1: 1.0}, {})
    assert publisher.folder.artifact.resolve().name == "0001"
    publisher.put_in_place(target)
    assert publisher.folder.artifact.resolve().name == "0002"


def test_the_current_artifact_and_the_one_before_are_kept(publisher: ArtifactPublisher, history: History) -> None:
    for _ in range(5):
        publisher.publish(history, {0: 1.0}, at=0.0)
    assert sorted(p.name for p in publisher.folder.artifacts.iterdir()) == ["0004", "0005"]


def test_what_the_user_put_beside_the_artifacts_is_kept(publisher: ArtifactPublisher, history: History) -> None:
    (publisher.folder.artifacts / "mine").mkdir(parents=True)
    for _ in range(4):
        publisher.publish(history, {0: 1.0}, at=0.0)
    assert (publisher.folder.artifacts / "mine").is_dir()


def test_the_link_is_relative_so_that_a_run_may_be_moved(publisher: ArtifactPublisher, history: History) -> None:
    publisher.publish(history, {0: 1.0}, at=0.0)
    assert str(publisher.folder.artifact.readlink()) == "artifacts/0001"


def test_the_manifest_names_run_task_metric_and_scores(publisher: ArtifactPublisher, history: History) -> None:
    target, _ = publisher.write(history, {0: 1.0}, scores_json(WINNER, "accuracy"))
    said = json.loads((target / "manifest.json").read_bytes())
    assert (said["run"], said["task"], said["metric"]) == ("tiny", "image-clf", "accuracy")
    assert said["scores"] == scores_json(WINNER, "accuracy")


def test_samples_are_weighted_as_in_the_artifact(tmp_path: Path) -> None:
    for seed in (1, 3):
        write(tmp_path / str(seed), seed=seed)
    members = [ExportMember(0, f, w, "cnn", tmp_path / str(s)) for f, (s, w) in enumerate(((1, 0.25), (3, 0.75)))]
    scores = sample_scores(members)
    assert scores.dtype == np.float32
    assert scores.tolist() == [[2.5, 2.5]] * 4


def test_scores_are_json_values() -> None:
    said = json.loads(json.dumps(scores_json(WINNER, "accuracy")))
    assert (said["metric"], said["cv"], said["corrected"], said["method"]) == ("accuracy", 0.8, 0.79, "bootstrap")


# ---- calibration, decision, and rows in order of time


@pytest.fixture
def in_time(publisher: ArtifactPublisher) -> ArtifactPublisher:
    spec = replace(publisher.started.spec, split="time")
    return replace(publisher, started=replace(publisher.started, spec=spec))


def test_the_final_artifact_says_how_scores_become_probabilities_and_labels(
    publisher: ArtifactPublisher, history: History
) -> None:
    refined = {"calibration": {"kind": "temperature", "temperature": 2.0}, "decision": {"weights": [1.0, 3.0]}}
    target, _ = publisher.write_final(history, replace(WINNER, **refined))
    said = json.loads((target / "manifest.json").read_bytes())
    assert {key: said[key] for key in refined} == refined
    assert said["deploy"] == "bag"


def test_a_standing_artifact_is_not_calibrated(publisher: ArtifactPublisher, history: History) -> None:
    publisher.publish(history, {0: 1.0}, at=0.0)
    said = json.loads((publisher.folder.artifact / "manifest.json").read_bytes())
    assert (said["calibration"], said["decision"]) == ({}, {})


def test_an_artifact_of_models_of_all_rows_says_so(publisher: ArtifactPublisher, history: History) -> None:
    history.refits[0] = replace(history.trials[0].results[1], fold=-1)
    target, _ = replace(publisher, is_refit=True).write_final(history, WINNER)
    assert json.loads((target / "manifest.json").read_bytes())["deploy"] == "refit"


def test_in_time_only_the_model_of_the_latest_fold_is_deployed(in_time: ArtifactPublisher, history: History) -> None:
    members = in_time.members(history, {0: 0.6, 1: 0.4})
    assert [(m.trial, m.fold, m.weight) for m in members] == [(0, 1, 0.6), (1, 1, 0.4)]


def test_in_time_the_models_of_all_rows_come_first(in_time: ArtifactPublisher, history: History) -> None:
    history.refits[0] = replace(history.trials[0].results[1], fold=-1)
    members = replace(in_time, is_refit=True).members(history, {0: 1.0})
    assert [(m.fold, m.weight) for m in members] == [(-1, 1.0)]


def test_samples_are_calibrated_as_in_the_artifact(tmp_path: Path) -> None:
    place = tmp_path / "one"
    place.mkdir()
    np.save(place / "sample.npy", np.float32([[0.2, 0.8]]))
    found = sample_scores([ExportMember(0, 0, 1.0, "cnn", place)], {"kind": "temperature", "temperature": 0.5})
    assert found == pytest.approx(np.array([[0.04 / 0.68, 0.64 / 0.68]]), abs=1e-6)


def test_samples_of_numbers_are_weighted_too(tmp_path: Path) -> None:
    for value in (10.0, 20.0):
        (tmp_path / str(value)).mkdir()
        np.save(tmp_path / str(value) / "sample.npy", np.full(3, value, np.float32))
    members = [ExportMember(0, 0, w, "gbdt", tmp_path / str(v)) for w, v in ((0.25, 10.0), (0.75, 20.0))]
    assert sample_scores(members).tolist() == [17.5] * 3
