from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

import numpy as np
import pytest

from automl.core.budget import Budget
from automl.core.events import Decided, Event, Registered, RunEnded, TestScore, Warned, Winner
from automl.core.history import History
from automl.core.job import REFIT_FOLD, Job, Member, Outcome
from automl.core.metrics import metric
from automl.core.protocols import Done
from automl.errors import ArtifactError, SearchFailed
from automl.model import Model
from automl.run.finalise import Ending, RefitPort, choose_winner, finalise, no_model, refined
from automl.run.loop import refit_steps
from automl.testing.tiny import tiny_data
from automl.testing.worlds import CurveWorld, Scenario

Make = Callable[..., Ending]
SCORE = TestScore("accuracy", 0.9, 0.8, 1.0, {"accuracy": 0.9}, 30)


@dataclass
class Registrar:
    """Says what it is told to say."""

    answer: Registered | None
    seconds: float = 0.0

    def finish(self, seconds: float) -> Registered | None:
        self.seconds = seconds
        return self.answer


@pytest.fixture
def image_ending(simulated: Make, tmp_path: Path) -> Make:
    """An ending whose artifact can be written: its data is described as images are."""

    def make(*arguments: object, **more: object) -> Ending:
        ending = simulated(*arguments, **more)
        spec = replace(tiny_data(tmp_path / "cache", classes=2, channels=3).spec, rows=300)
        return replace(ending, publisher=replace(ending.publisher, started=replace(ending.run.started, spec=spec)))

    return make


def events(ending: Ending) -> list[Event]:
    return list(ending.run.parts.journal.replay())


def warnings(ending: Ending) -> list[str]:
    return [e.message for e in events(ending) if isinstance(e, Warned)]


def failing(outcome: Outcome, when: Callable[[Job], bool]) -> Scenario:
    def ending(job: Job, member: Member) -> Outcome:
        return outcome if when(job) else "done"

    return Scenario(CurveWorld(ending=ending), budget="6trials")


# ---- to the end


def test_a_run_ends_with_a_decision_an_artifact_and_a_last_event(image_ending: Make) -> None:
    ending = image_ending()
    finalise(ending, "every trial is finished")
    decided, ended = [e for e in events(ending) if isinstance(e, Decided | RunEnded)]
    assert (ended.status, ended.reason) == ("done", "every trial is finished")
    model = Model(ending.publisher.folder.artifact, expect_sha256=decided.manifest_sha256)
    assert {m.file for m in model.manifest.members}


def test_an_artifact_is_verified_on_rows_of_the_data_before_it_is_current(image_ending: Make) -> None:
    seen: list[tuple[bool, int, int]] = []

    def verify(artifact: Path, rows: np.ndarray, expected: np.ndarray) -> None:
        seen.append(((artifact.parents[1] / "artifact").exists(), len(rows), len(expected)))

    finalise(replace(image_ending(), verify=verify), "")
    assert seen == [(False, 32, 32)]


def test_an_artifact_that_fails_verification_is_not_put_in_place(image_ending: Make) -> None:
    def verify(artifact: Path, *_: np.ndarray) -> None:
        raise ArtifactError(f"{artifact}: other scores")

    ending = replace(image_ending(), verify=verify)
    with pytest.raises(ArtifactError, match="other scores"):
        finalise(ending, "")
    assert not ending.publisher.folder.artifact.exists()
    assert not any(isinstance(e, Decided | RunEnded) for e in events(ending))


def test_the_test_set_is_looked_at_once(image_ending: Make) -> None:
    looks: list[Path] = []

    def look(artifact: Path) -> TestScore:
        looks.append(artifact)
        return SCORE

    ending = replace(image_ending(), score_test=look)
    finalise(ending, "")
    assert len(looks) == 1
    assert [e.test for e in events(ending) if isinstance(e, Decided)] == [SCORE]


def test_an_interrupted_run_is_told_as_such(image_ending: Make) -> None:
    ending = image_ending()
    ending.run.interrupt("stopped by the user")
    finalise(ending, "stopped by the user")
    assert ending.run.history.ended == RunEnded("interrupted", "stopped by the user", ending.run.time.at())


def test_a_model_is_registered_with_the_time_of_the_run(image_ending: Make) -> None:
    known = Registrar(Registered("models:/m/1", "1", "ab", champion=True, note="", at=0.0))
    ending = replace(image_ending(), register=known)
    finalise(ending, "")
    assert ending.run.history.registered == replace(known.answer, at=ending.run.time.at())


def test_a_registry_that_does_not_answer_is_one_warning(image_ending: Make) -> None:
    ending = replace(image_ending(), register=Registrar(None))
    finalise(ending, "")
    assert "automl sync" in warnings(ending)[0]
    assert ending.run.history.ended is not None


@pytest.mark.parametrize(("budget", "least", "most"), [("6trials", 30.0, 30.0), ("50s", 1.0, 1.0)])
def test_registration_has_what_time_is_left(image_ending: Make, budget: str, least: float, most: float) -> None:
    registrar = Registrar(None)
    finalise(replace(image_ending(budget), register=registrar), "")
    assert least <= registrar.seconds <= most


# ---- nothing to deploy


def test_without_a_full_trial_the_search_failed(simulated: Make) -> None:
    ending = simulated(scenario=failing("oom", lambda job: True))
    with pytest.raises(SearchFailed, match=r"no trial was trained on all folds \(spent\); 6 were started"):
        finalise(ending, "spent")
    assert ending.run.history.ended == RunEnded("failed", "spent", ending.run.time.at())


def test_the_reasons_of_failure_are_counted_by_candidate(simulated: Make) -> None:
    text = no_model(simulated(scenario=failing("nan", lambda job: True)).run.history, "spent")
    rows = text.splitlines()[1:]
    assert all("the world says nan" in row for row in rows)
    assert sum(int(row.split("×")[0].split()[-1]) for row in rows) == 6


def test_a_run_without_trials_has_a_short_table() -> None:
    assert no_model(History(), "stopped") == "no trial was trained on all folds (stopped); 0 were started"


# ---- choosing


def test_the_winner_is_one_of_the_full_trials(simulated: Make) -> None:
    ending = simulated("12trials")
    full = {trial.number for trial in ending.run.history.full()}
    assert set(choose_winner(ending).winner().weights) <= full


def test_the_same_run_chooses_the_same(simulated: Make) -> None:
    ending = simulated("12trials")
    assert choose_winner(ending).winner() == choose_winner(ending).winner()


def test_a_single_full_trial_wins(simulated: Make) -> None:
    winner = choose_winner(simulated("1trials")).winner()
    assert (winner.kind, list(winner.weights.values())) == ("single", [1.0])


def test_a_choice_that_takes_what_it_can_get_is_told(simulated: Make) -> None:
    ending = simulated("6trials", max_latency_ms=1e-9)
    for trial in ending.run.history.trials.values():
        trial.results = {fold: replace(r, latency_ms=5.0) for fold, r in trial.results.items()}
    choose_winner(ending)
    assert any("ms" in message for message in warnings(ending))


# ---- all rows


def test_a_refit_deploys_models_of_all_rows(image_ending: Make, tmp_path: Path, write: None) -> None:
    ending = image_ending(deploy="refit")
    finalise(ending, "")
    entries = Model(tmp_path / "artifact").manifest.members
    assert len(entries) == len(ending.run.history.refits) == len(ending.run.history.decided.winner.weights)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulated world leaves no files; its jobs on all rows are made to."""
    real = CurveWorld.run

    def run(world: CurveWorld, job: Job) -> object:
        if job.purpose == "refit":
            write_member(tmp_path / "members" / job.members[0].name / f"r{job.rung}")
        return real(world, job)

    monkeypatch.setattr(CurveWorld, "run", run)


def write_member(place: Path) -> None:
    import json

    from automl.testing.tiny import linear_onnx

    entry = {"file": "model.onnx", "features": {"kind": "pixels"}, "input": "input", "output": "probabilities"}
    place.mkdir(parents=True)
    (place / "model.onnx").write_bytes(linear_onnx((8, 8, 3), 2))
    (place / "member.json").write_text(json.dumps({**entry, "output_kind": "probabilities"}), encoding="utf-8")
    np.save(place / "sample.npy", np.full((32, 2), 0.5, np.float32))


def test_a_refit_that_fails_leaves_the_models_of_the_folds(image_ending: Make) -> None:
    ending = image_ending(scenario=failing("oom", lambda job: job.purpose == "refit"), deploy="refit")
    finalise(ending, "")
    assert "failed on all rows: the models of the folds are deployed" in warnings(ending)[0]
    assert ending.run.history.ended is not None
    assert ending.run.history.ended.status == "done"


def test_a_refit_for_which_the_budget_is_too_small_is_left_out_with_a_word(image_ending: Make) -> None:
    ending = image_ending("50s")
    ending.run.started = replace(ending.run.started, request=replace(ending.run.request, deploy="refit"))
    finalise(ending, "")
    assert "training on all rows takes about" in warnings(ending)[0]
    assert ending.run.history.refits == {}


def test_an_interrupted_run_is_not_refitted(image_ending: Make) -> None:
    ending = image_ending(deploy="refit")
    ending.run.interrupt("stopped by the user")
    finalise(ending, "stopped by the user")
    assert ending.run.history.refits == {}


@pytest.mark.parametrize("budget", ["60s", "200s", "400s"])
def test_time_for_a_refit_is_held_back_from_the_search(image_ending: Make, budget: str, write: None) -> None:
    ending = image_ending(budget, deploy="refit")
    left = ending.run.seconds_left()
    finalise(ending, "")
    assert left >= min(ending.run.refit_seconds(), 0.5 * float(budget[:-1])) - 1e-6
    assert ending.run.seconds_left() >= 0.0


@pytest.mark.parametrize("slots", [1, 3])
def test_a_refit_keeps_a_device_budget(image_ending: Make, slots: int, write: None) -> None:
    ending = image_ending(scenario=Scenario(budget="300cpu-s", slots=slots), deploy="refit")
    finalise(ending, "")
    assert ending.run.history.refits or warnings(ending)
    assert ending.run.controller.ledger.settled <= 300.0 + 1e-6


def test_nothing_is_held_back_unless_a_refit_is_asked_for(simulated: Make) -> None:
    assert simulated("100s").run.refit_seconds() == 0.0


def test_a_budget_of_trials_leaves_all_the_time_for_a_refit(simulated: Make) -> None:
    ending = simulated("6trials", deploy="refit")
    port = RefitPort(ending.run, {0: 1}, seconds_left=inf)
    job = port.next_job()
    assert isinstance(job, Job)
    assert port.deadline(job.id) == inf


def test_every_trial_of_the_winner_is_trained_once_on_all_rows(simulated: Make) -> None:
    port = RefitPort(simulated().run, {0: 1, 1: 4}, seconds_left=inf)
    jobs = [port.next_job() for _ in range(2)]
    assert [(j.members[0].trial, j.members[0].fold, j.stop_steps) for j in jobs] == [
        (0, REFIT_FOLD, 1), (1, REFIT_FOLD, 4)
    ]  # fmt: skip
    assert isinstance(port.next_job(), Done)


def test_jobs_on_all_rows_are_written_down_before_they_are_handed_out(simulated: Make) -> None:
    ending = simulated()
    job = RefitPort(ending.run, {0: 1}, seconds_left=inf).next_job()
    assert events(ending)[-1].job == job


@pytest.mark.parametrize(("best", "expected"), [([3, 9, 4], 4), ([1, 1, 1], 1), ([0, 0, 0], 1)])
def test_a_refit_takes_the_median_of_the_best_steps(simulated: Make, best: list[int], expected: int) -> None:
    trial = simulated().run.history.full()[0]
    trial.results = {f: replace(trial.results[f], best_step=step) for f, step in enumerate(best)}
    assert refit_steps(trial) == expected


# ---- calibration and decision


def table_ending(make: Make, name: str, **more: object) -> Ending:
    """An ending whose rows are said to be a table's and whose metric is this one."""
    ending = make("12trials", **more)
    ending.run.metric = metric(name)
    spec = ending.data.spec
    return replace(ending, data=replace(ending.data, spec=replace(spec, kind="table")))  # type: ignore[type-var]


def winner_of(ending: Ending) -> Winner:
    return Winner("single", "curve", {ending.run.history.full()[0].number: 1.0}, 0.7, 0.01, 0.7, 0.6, 0.8, 1.0, "by CV")


def test_scores_of_a_table_are_calibrated_on_folds(image_ending: Make) -> None:
    ending = table_ending(image_ending, "log_loss")
    found = refined(ending, winner_of(ending))
    assert found.calibration["kind"] == "temperature"
    assert found.corrected < 0.7
    assert found.method.startswith("by CV; -")


def test_images_are_left_as_they_are(image_ending: Make) -> None:
    ending = image_ending("12trials")
    ending.run.metric = metric("log_loss")
    assert refined(ending, winner_of(ending)) == winner_of(ending)


def test_a_calibration_is_verified_and_journaled(image_ending: Make) -> None:
    ending = table_ending(image_ending, "log_loss")
    finalise(ending, "")
    decided = ending.run.history.decided
    assert decided is not None
    said = Model(ending.publisher.folder.artifact).manifest
    assert dict(said.calibration) == decided.winner.calibration
    assert events(ending)[-2].winner == decided.winner  # type: ignore[union-attr]


def test_a_model_of_all_rows_gets_the_whole_temperature(image_ending: Make) -> None:
    ending = table_ending(image_ending, "log_loss")
    again = replace(ending, publisher=replace(ending.publisher, is_refit=True))
    bag, whole = (refined(e, winner_of(e)).calibration["temperature"] for e in (ending, again))
    assert abs(np.log(whole)) > abs(np.log(bag)) > 0


def test_without_time_nothing_is_calibrated(image_ending: Make) -> None:
    ending = table_ending(image_ending, "log_loss")
    late = replace(ending.run.time, before=1e9)
    ending.run.time, ending.run.controller.ledger.budget = late, Budget.parse("10s")
    assert refined(ending, winner_of(ending)) == winner_of(ending)


# ---- in order of time


def test_in_time_all_rows_are_twice_as_many_as_a_mean_fold_has(simulated: Make) -> None:
    ending = simulated()
    spec = replace(ending.run.started.spec, split="time")
    plain = RefitPort(ending.run, {0: 1}, seconds_left=inf).seconds()
    ending.run.started = replace(ending.run.started, spec=spec)
    assert RefitPort(ending.run, {0: 1}, seconds_left=inf).seconds() == pytest.approx(plain * 2 / 1.5)


def test_in_time_a_failed_refit_leaves_the_latest_fold(image_ending: Make) -> None:
    ending = image_ending("50s")
    spec = replace(ending.publisher.started.spec, split="time")
    ending.run.started = replace(ending.run.started, spec=replace(ending.run.started.spec, split="time"),
                                 request=replace(ending.run.request, deploy="refit"))  # fmt: skip
    publisher = replace(ending.publisher, started=replace(ending.publisher.started, spec=spec))
    finalise(replace(ending, publisher=publisher), "")
    assert "the model of the latest fold is deployed" in warnings(ending)[0]
    assert {m.fold for m in publisher.members(ending.run.history, {ending.run.history.full()[0].number: 1.0})} == {2}
