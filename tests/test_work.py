from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.core.data import DataSpec
from automl.core.job import Job, Member, MemberResult, Report, StopRule
from automl.core.metrics import metric
from automl.core.seeds import derive
from automl.core.space import Configuration
from automl.registry import BUILT_IN
from automl.run.work import MemberContext, Workshop

ROWS = 12
SPEC = DataSpec("tiny", "image", ROWS, (2, 2, 3), ("a", "b"), (6, 6), "00")


@dataclass
class Arrays:
    """Prepared data in memory."""

    folder: Path
    X: np.ndarray = field(default_factory=lambda: np.zeros((ROWS, 2, 2, 3), np.uint8))
    y: np.ndarray = field(default_factory=lambda: np.arange(ROWS) % 2)
    spec: DataSpec = SPEC
    weights: np.ndarray | None = None
    groups: np.ndarray | None = None


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.setitem(BUILT_IN["candidate"], "toy", "automl.testing.toy_candidate:CANDIDATE")
    folds = np.arange(ROWS) // 4
    return Workshop(
        tmp_path,
        "image-clf",
        Arrays(tmp_path),
        folds,
        metric("log_loss"),
        7,
        tmp_path / "cache",
        "cpu",
        is_timed=True,
        resources={},
    )


def job(what: str = "train", *, start: int = 0, stop: int = 3, fold: int = 0, checkpoint: str = "", **more: Any) -> Job:
    member = Member(4, fold, Configuration("toy", {"what": what}), checkpoint)
    return replace(Job(9, (member,), 1, start, stop, 9, keep_model=stop == 9), **more)


def done(workshop: Workshop, planned: Job, *, seconds: float = 60.0) -> MemberResult:
    return workshop.run(planned, lambda report: None, time.monotonic() + seconds).members[0]


def test_a_member_that_trained_to_its_end_is_done(workshop: Workshop) -> None:
    result = done(workshop, job())
    assert (result.outcome, result.trial, result.fold, result.steps) == ("done", 4, 0, 3)
    assert result.curve == ((1, 0.1), (2, 0.2), (3, 0.3))
    assert result.train_curve == ((1, 1.0), (2, 0.5), (3, 1 / 3))


def test_the_score_is_of_the_folds_own_rows(workshop: Workshop) -> None:
    result = done(workshop, job())
    assert result.score == pytest.approx(np.log(2.0), rel=1e-5)
    assert np.load(workshop.folder / "members/t00004-f0/r1/oof.npy", allow_pickle=False).shape == (4, 2)


def test_learning_sees_the_other_folds_only(workshop: Workshop) -> None:
    assert done(workshop, job()).notes["rows"] == "8"


def test_a_refit_learns_from_all_rows_and_has_no_score(workshop: Workshop) -> None:
    result = done(workshop, job(fold=-1, stop=9, purpose="refit"))
    assert (result.notes["rows"], result.score) == (str(ROWS), None)
    assert {Path(f.path).name for f in result.files} == {"model.onnx", "member.json", "sample.npy"}


def test_below_the_top_a_checkpoint_is_left_and_no_model(workshop: Workshop) -> None:
    assert {Path(f.path).name for f in done(workshop, job()).files} == {"checkpoint.json", "oof.npy"}


def test_at_the_top_the_model_and_its_entry_are_left_and_no_checkpoint(workshop: Workshop) -> None:
    result = done(workshop, job(stop=9))
    assert {Path(f.path).name for f in result.files} == {"member.json", "model.onnx", "oof.npy", "sample.npy"}
    assert result.size_bytes == 3


def test_files_are_named_from_the_run_folder_with_their_hashes(workshop: Workshop) -> None:
    for file in done(workshop, job()).files:
        content = (workshop.folder / file.path).read_bytes()
        assert (file.sha256, file.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))


def test_training_goes_on_from_a_checkpoint(workshop: Workshop) -> None:
    done(workshop, job(rung=0))
    result = done(workshop, job(start=3, stop=9, checkpoint="members/t00004-f0/r0"))
    assert [step for step, _ in result.curve] == [4, 5, 6, 7, 8, 9]


def test_what_an_earlier_try_left_is_cleared_away(workshop: Workshop) -> None:
    folder = workshop.folder / "members/t00004-f0/r1"
    folder.mkdir(parents=True)
    (folder / "half").write_text("torn", encoding="utf-8")
    done(workshop, job())
    assert not (folder / "half").exists()


@pytest.mark.parametrize(
    ("what", "outcome", "message"),
    [
        ("oom", "oom", "MemoryError: 4 GB are needed"),
        ("nan", "nan", "FloatingPointError: the loss is nan at step 2"),
        ("error", "error", "ValueError: two lines of text"),
        ("late", "stopped", "TimeoutError: no time for a step"),
    ],
)
def test_what_a_candidate_raises_becomes_an_outcome(workshop: Workshop, what: str, outcome: str, message: str) -> None:
    result = done(workshop, job(what))
    assert (result.outcome, result.message) == (outcome, message)
    assert "toy_candidate.py" in result.traceback
    assert result.files == ()


def test_predictions_that_are_no_numbers_are_a_failure(workshop: Workshop) -> None:
    result = done(workshop, job("mad"))
    assert (result.outcome, result.score) == ("nan", None)
    assert "8 predictions are not finite" in result.message


def test_an_unknown_candidate_is_an_outcome_too(workshop: Workshop) -> None:
    unknown = replace(job(), members=(Member(0, 0, Configuration("tooy", {})),))
    assert "'tooy' is not a candidate" in done(workshop, unknown).message


def test_a_member_that_comes_short_is_stopped_and_leaves_nothing(workshop: Workshop) -> None:
    result = done(workshop, job("short"))
    assert (result.outcome, result.steps, result.files) == ("stopped", 2, ())


def test_a_member_out_of_time_is_stopped(workshop: Workshop) -> None:
    began = time.monotonic()
    result = done(workshop, job("slow"), seconds=0.5)
    assert (result.outcome, result.message) == ("stopped", "cut at the deadline")
    assert time.monotonic() - began < 0.5


def test_the_stop_rule_ends_a_member(workshop: Workshop) -> None:
    rule = StopRule(patience=2, greater_is_better=True)
    result = done(workshop, job(stop=9, stop_rule=rule))
    assert (result.outcome, result.steps, result.message) == ("stopped", 5, "given up by its stop rule")


def test_reports_are_sent_while_training(workshop: Workshop) -> None:
    sent: list[Report] = []
    workshop.run(job(), sent.append, time.monotonic() + 60)
    assert sent[0] == Report(9, 4, 0, 1, 0.1)
    assert len(sent) == 3


def test_a_probe_gives_a_cost_and_leaves_no_files(workshop: Workshop) -> None:
    result = done(workshop, job(purpose="probe"))
    assert (result.outcome, result.cost.step_seconds, result.notes) == ("done", 0.001, {"precision": "float32"})
    assert not (workshop.folder / "members").exists()


def test_a_failed_probe_has_no_cost(workshop: Workshop) -> None:
    result = done(workshop, job("oom", purpose="probe"))
    assert (result.outcome, result.cost) == ("oom", None)


def test_a_failed_member_does_not_keep_the_next_from_its_end(workshop: Workshop) -> None:
    both = replace(job(), members=(*job("error").members, *job(fold=1).members))
    result = workshop.run(both, lambda report: None, time.monotonic() + 60)
    assert [m.outcome for m in result.members] == ["error", "done"]


def test_the_seed_of_a_member_depends_on_run_trial_and_fold_alone(workshop: Workshop) -> None:
    context: Any = workshop._context(job(), job(fold=1).members[0], lambda report: None, 0.0)
    assert context.seed == derive(7, "trial", 4, "fold", 1)


def test_the_manifest_entry_of_a_model_is_kept_as_json(workshop: Workshop) -> None:
    done(workshop, job(stop=9))
    entry = json.loads((workshop.folder / "members/t00004-f0/r1/member.json").read_bytes())
    assert entry["file"] == "model.onnx"


def test_latency_and_cost_are_measured(workshop: Workshop) -> None:
    result = done(workshop, job())
    assert result.latency_ms > 0
    assert result.cost.step_seconds >= 0


# ---- by group and in time


def context_of(workshop: Workshop, fold: int = 0, trial: int = 4, **spec: Any) -> MemberContext:
    data = replace(workshop.data, spec=replace(SPEC, **spec), groups=np.arange(ROWS) // 2)
    member = replace(job(fold=fold).members[0], trial=trial)
    return replace(workshop, data=data)._context(job(), member, lambda report: None, 0.0)


def test_in_time_a_model_learns_from_earlier_rows_only(workshop: Workshop) -> None:
    blocks = replace(workshop, folds=workshop.folds - 1)
    context = context_of(blocks, fold=1, split="time")
    assert context.train_rows.tolist() == list(range(8))
    assert context.valid_rows.tolist() == [8, 9, 10, 11]


def test_in_time_a_refit_learns_from_all_rows(workshop: Workshop) -> None:
    context = context_of(replace(workshop, folds=workshop.folds - 1), fold=-1, split="time")
    assert (len(context.train_rows), len(context.valid_rows)) == (ROWS, 0)


@pytest.mark.parametrize("split", ["stratified", "group", "time"])
def test_rows_are_held_out_of_the_training_rows(workshop: Workshop, split: str) -> None:
    context = context_of(workshop, fold=2, split=split)
    parts = context.holdout(0.25, most=100)
    assert sorted(np.concatenate(parts).tolist()) == context.train_rows.tolist()
    assert len(parts.held_rows) == 2


def test_groups_are_held_out_whole(workshop: Workshop) -> None:
    parts = context_of(workshop, split="group").holdout(0.25, most=100)
    assert not set((parts.fit_rows // 2).tolist()) & set((parts.held_rows // 2).tolist())


def test_the_latest_rows_are_held_out_in_time(workshop: Workshop) -> None:
    parts = context_of(workshop, fold=2, split="time").holdout(0.25, most=100)
    assert parts.held_rows.tolist() == [6, 7]


def test_every_trial_of_a_fold_holds_out_the_same_rows(workshop: Workshop) -> None:
    first, second = (context_of(workshop, trial=trial).holdout(0.5, most=100) for trial in (1, 2))
    assert np.array_equal(first.held_rows, second.held_rows)


def test_another_fold_holds_out_rows_of_its_own(workshop: Workshop) -> None:
    more = replace(workshop, folds=np.arange(ROWS) % 3)
    held = [context_of(more, fold=fold).holdout(0.5, most=100).held_rows.tolist() for fold in range(3)]
    assert len({tuple(rows) for rows in held}) == 3
