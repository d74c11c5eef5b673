from __future__ import annotations

import statistics
from collections.abc import Iterable
from itertools import groupby

import numpy as np
import pytest

from automl.controller import FAILURES_TO_GIVE_UP, Controller, Moment
from automl.core.events import Event, JobEnded, JobPlanned, Planned, ProposalSkipped, RunStarted, TrialStopped
from automl.core.history import History, Trial
from automl.core.job import Cost, Job, JobResult, Member, MemberResult, Outcome
from automl.core.protocols import WAIT, Done
from automl.core.space import Configuration, SearchSpace
from automl.run.loop import Run
from automl.schedulers.full import FullScheduler
from automl.testing.worlds import SPACE, CurveWorld, Scenario


def only(*names: str, **world: object) -> CurveWorld:
    return CurveWorld(space=SearchSpace({n: SPACE.candidates[n] for n in names}), **world)


def events(run: Run) -> list[Event]:
    return list(run.parts.journal.replay())


def planned(run: Run) -> list[JobPlanned]:
    return [e for e in events(run) if isinstance(e, JobPlanned)]


def most_spent_or_promised(run: Run, scenario: Scenario) -> float:
    controller, most = scenario.controller(), 0.0
    for event in events(run)[1:]:
        controller.apply(event)
        most = max(most, controller.ledger.settled + sum(controller.ledger.reserved.values()))
    return most


def outcome_of(trial: int, outcome: Outcome, *, times: int = 99) -> CurveWorld:
    """A world in which the jobs of one trial end badly on their first so many tries."""

    def ending(job: Job, member: Member) -> Outcome:
        return outcome if member.trial == trial and job.attempt < times and job.purpose == "train" else "done"

    return CurveWorld(ending=ending)


def story(run: Run) -> list[tuple[object, ...]]:
    """What a run came to, without job numbers and times."""
    return [(t.number, t.configuration.key(), t.status, t.rung, sorted(t.reports.items()), sorted(t.results))
            for t in run.history.trials.values()]  # fmt: skip


# ---- budgets


@pytest.mark.parametrize("slots", [1, 2, 8, 64])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_settled_and_reserved_never_exceed_the_device_budget_at_any_event(slots: int, seed: int) -> None:
    scenario = Scenario(CurveWorld(seed=seed), "200cpu-s", slots, seed=seed)
    assert most_spent_or_promised(scenario.play(), scenario) <= 200.0 + 1e-6


@pytest.mark.parametrize("slots", [1, 2, 8, 64])
@pytest.mark.parametrize("factor", [0.3, 1.0, 4.0], ids=["overestimated", "right", "underestimated"])
def test_a_cpu_budget_is_used_up_to_two_device_seconds(slots: int, factor: float) -> None:
    world = CurveWorld(misjudged=dict.fromkeys(SPACE.candidates, factor))
    run = Scenario(world, "300cpu-s", slots).play()
    assert 298.0 <= run.controller.ledger.settled <= 300.0 + 1e-6


@pytest.mark.parametrize("slots", [1, 4])
@pytest.mark.parametrize("reserve", [0.0, 12.5])
def test_a_wall_budget_ends_the_search_exactly_at_the_reserve(slots: int, reserve: float) -> None:
    run = Scenario(budget="400s", slots=slots, reserve_seconds=reserve).play()
    assert run.time.at() == pytest.approx(400.0 - reserve, abs=0.05)


@pytest.mark.parametrize("slots", [1, 3, 16])
@pytest.mark.parametrize("number", [1, 2, 17])
def test_a_budget_of_trials_starts_exactly_so_many(slots: int, number: int) -> None:
    run = Scenario(budget=f"{number}trials", slots=slots).play()
    assert len(run.history.trials) == run.controller.ledger.trials == number


def test_the_first_of_several_limits_ends_the_search() -> None:
    run = Scenario(budget="400s,3trials").play()
    assert len(run.history.trials) == 3
    assert run.time.at() < 400.0


def test_no_decision_reads_the_clock_under_a_budget_of_trials() -> None:
    slow = CurveWorld(misjudged={"curve": 100.0, "quick": 0.01})
    assert story(Scenario(slow).play()) == story(Scenario().play())


def test_the_search_ends_with_a_reason() -> None:
    assert Scenario(budget="60s").play().history.phase.reason == "the budget is spent"
    assert Scenario(budget="3trials").play().history.phase.reason == "every trial is finished"


def test_a_space_with_nothing_left_to_try_ends_the_search() -> None:
    run = Scenario(only("constant"), "60s").play()
    assert run.history.phase.reason == "the search space is exhausted"
    assert [t.status for t in run.history.trials.values()] == ["full"]


# ---- plan and probes


def test_the_plan_comes_before_the_first_job() -> None:
    assert isinstance(events(Scenario().play())[1], Planned)


def test_a_trial_of_what_needs_no_probe_starts_before_the_rest_is_probed() -> None:
    run = Scenario(budget="2000s", slots=2, probed=frozenset({"curve"})).play()
    assert [set(e.full_steps) for e in events(run) if isinstance(e, Planned)] == [
        {"constant", "quick"},
        set(SPACE.candidates),
    ]
    purposes = [e.job.purpose for e in planned(run)]
    assert purposes[: purposes.index("probe")] == ["train"] * run.history.folds


def test_a_probe_corrects_the_estimate_that_the_plan_rests_on() -> None:
    world = CurveWorld(misjudged={"curve": 10.0})
    run = Scenario(world, "1000s", probed=frozenset({"curve"})).play()
    assert run.history.planned.costs["curve"].step_seconds == pytest.approx(10.0)
    assert run.history.planned.full_steps["curve"] < 27


@pytest.mark.parametrize("outcome", ["error", "oom", "lost", "timeout"])
def test_a_candidate_whose_probe_fails_is_left_out(outcome: Outcome) -> None:
    world = CurveWorld(ending=lambda job, member: outcome if job.purpose == "probe" else "done")
    run = Scenario(world, "60s", probed=frozenset({"curve"})).play()
    assert {t.configuration.candidate for t in run.history.trials.values()} == {"constant", "quick"}


def test_a_candidate_that_does_not_fit_in_the_budget_is_left_out_and_said() -> None:
    run = Scenario(CurveWorld(misjudged={"curve": 20.0}), "300s", probed=frozenset({"curve"})).play()
    assert "curve" not in run.history.planned.full_steps
    assert [f.code for f in run.history.planned.findings] == ["candidate-left-out"]


# ---- trials


@pytest.mark.parametrize("budget", ["12trials", "600s", "1500cpu-s"])
def test_an_iterative_trial_reaches_the_top(budget: str) -> None:
    run = Scenario(budget=budget, slots=2).play()
    assert any(t.configuration.candidate == "curve" for t in run.history.full())


def test_a_promotion_goes_on_from_the_checkpoint_of_the_rung_below() -> None:
    later = [e.job for e in planned(Scenario(budget="30trials").play()) if e.job.start_steps]
    assert later
    for job in later:
        folder, rung = job.members[0].checkpoint.split("/r")
        assert (folder, int(rung) < job.rung) == (f"members/{job.members[0].name}", True)


def test_no_job_trains_zero_steps() -> None:
    run = Scenario(CurveWorld(misjudged={"curve": 11.0}), "200s", slots=2, probed=frozenset({"curve"})).play()
    assert run.history.planned.full_steps["curve"] <= 4
    assert all(e.job.stop_steps > e.job.start_steps for e in planned(run))


def test_no_fold_of_a_trial_is_trained_twice_at_once_or_again_to_the_same_step() -> None:
    keys = [
        (m.trial, m.fold, e.job.stop_steps)
        for e in planned(Scenario(budget="40trials", slots=8).play())
        for m in e.job.members
    ]
    assert len(keys) == len(set(keys))


def mean(trial: Trial, folds: Iterable[int]) -> float:
    return statistics.fmean(trial.results[fold].score for fold in folds)


def test_racing_drops_trials_whose_folds_are_worse_than_the_best_trials() -> None:
    run = Scenario(CurveWorld(noise=0.04), budget="60trials").play()
    dropped = [run.history.trials[e.trial] for e in events(run) if isinstance(e, TrialStopped)]
    best = max(run.history.full(), key=lambda t: t.reports[3])
    assert dropped
    assert all(mean(t, t.results) < mean(best, t.results) for t in dropped)


def test_near_the_deadline_the_best_paused_trial_is_finished() -> None:
    run = Scenario(only("curve"), "2000s", slots=2).play()
    late = [e.job for e in planned(run) if e.at > 0.9 * 2000.0]
    assert run.history.top_rung in {j.rung for j in late}


def test_a_trial_is_not_cut_over_and_over_when_it_takes_longer_than_its_lease() -> None:
    run = Scenario(CurveWorld(misjudged={"curve": 5.0}), "3000cpu-s").play()
    repeated = [len(list(g)) for _, g in groupby((e.job.members, e.job.rung) for e in planned(run))]
    assert max(repeated) <= 3
    assert any(t.configuration.candidate == "curve" for t in run.history.full())


# ---- failures


@pytest.mark.parametrize("outcome", ["lost", "timeout"])
def test_a_lost_or_timed_out_member_is_tried_once_more(outcome: Outcome) -> None:
    run = Scenario(outcome_of(2, outcome, times=1), "6trials").play()
    assert run.history.trials[2].failure is None
    assert [e.job.attempt for e in planned(run) if e.job.members[0].trial == 2][:2] == [0, 1]


@pytest.mark.parametrize("outcome", ["lost", "timeout"])
def test_a_member_that_is_lost_twice_fails_its_trial(outcome: Outcome) -> None:
    run = Scenario(outcome_of(2, outcome), "6trials").play()
    assert run.history.trials[2].status == "failed"
    assert len([e for e in planned(run) if e.job.members[0].trial == 2]) == 2


@pytest.mark.parametrize("outcome", ["error", "nan", "oom"])
def test_a_failed_member_is_not_tried_again_and_ends_its_trial_only(outcome: Outcome) -> None:
    run = Scenario(outcome_of(2, outcome), "6trials").play()
    assert [t.status for t in run.history.trials.values()].count("failed") == 1
    assert len([e for e in planned(run) if e.job.members[0].trial == 2]) == 1


@pytest.mark.parametrize("slots", [1, 4])
def test_twenty_equal_failures_in_a_row_end_the_search(slots: int) -> None:
    run = Scenario(only("quick", ending=lambda job, member: "error"), "99trials", slots).play()
    assert run.history.phase.reason.startswith(f"{FAILURES_TO_GIVE_UP} trials in a row failed alike")
    assert FAILURES_TO_GIVE_UP <= len(run.history.trials) < FAILURES_TO_GIVE_UP + slots


def test_failures_of_different_causes_do_not_end_the_search() -> None:
    outcomes: tuple[Outcome, ...] = ("error", "nan")
    world = only("quick", ending=lambda job, member: outcomes[member.trial % 2])
    assert len(Scenario(world, "30trials").play().history.trials) == 30


def test_a_success_between_failures_counts_anew() -> None:
    world = only("quick", ending=lambda job, member: "done" if member.trial == 15 else "error")
    assert len(Scenario(world, "30trials").play().history.trials) == 30


@pytest.mark.parametrize("budget", ["60cpu-s", "60s"])
def test_a_retry_gets_no_lease_that_is_already_spent(budget: str) -> None:
    world = CurveWorld(ending=lambda job, member: "lost" if job.attempt == 0 and member.trial % 3 == 0 else "done")
    run = Scenario(world, budget, slots=8).play()
    assert min(e.job.lease.seconds for e in planned(run)) > 0.01


# ---- replay


def replayed_at(scenario: Scenario, prefix: int) -> tuple[Run, Run]:
    whole = scenario.play()
    return whole, scenario.play(events(whole)[1:prefix])


SMALL = Scenario(budget="7trials")
LENGTH = len(events(SMALL.play()))


@pytest.mark.parametrize("prefix", range(1, LENGTH))
def test_a_replayed_prefix_of_the_journal_goes_on_to_the_identical_end(prefix: int) -> None:
    whole, resumed = replayed_at(SMALL, prefix)
    assert story(resumed) == story(whole)


@pytest.mark.parametrize("prefix", [3, 10, 20])
def test_a_resume_does_not_charge_again_what_was_settled(prefix: int) -> None:
    whole, resumed = replayed_at(SMALL, prefix)
    assert resumed.controller.ledger.settled == pytest.approx(whole.controller.ledger.settled)


@pytest.mark.parametrize("slots", [1, 8])
def test_a_replayed_controller_is_in_the_same_state(slots: int) -> None:
    scenario = Scenario(budget="500cpu-s", slots=slots)
    run, again = scenario.play(), scenario.controller()
    for event in events(run)[1:]:
        again.apply(event)
    assert (again.history, again.ledger) == (run.history, run.controller.ledger)


def test_deciding_changes_nothing() -> None:
    controller = Scenario().controller()
    assert controller.decide(Moment(0.0)) == controller.decide(Moment(0.0))
    assert controller.history.jobs == 0


def test_the_same_seed_gives_the_same_search_and_another_seed_another() -> None:
    one, same, other = (story(Scenario(seed=s).play()) for s in (0, 0, 1))
    assert one == same != other


def test_the_number_of_slots_changes_neither_the_configurations_nor_their_scores() -> None:
    few, many = (Scenario(budget="9trials", slots=s, scheduler=FullScheduler()).play() for s in (1, 6))
    assert story(few) == story(many)


# ---- leases and refits


def test_a_lease_is_one_and_a_half_times_the_estimate_and_never_more_than_is_free() -> None:
    run = Scenario(only("curve"), "100cpu-s").play()
    leases = [e.job.lease.seconds for e in planned(run)]
    assert max(leases) <= 100.0
    assert Scenario(only("curve"), "100s").play().history.planned is not None


def test_a_refit_trains_on_all_rows_for_the_steps_it_is_given() -> None:
    controller = Scenario().play().controller
    jobs = [e.job for e in controller.refit_jobs({0: 1, 3: 9}, Moment(5.0))]
    assert [(j.members[0].fold, j.stop_steps, j.purpose, j.keep_model) for j in jobs] == [
        (-1, 1, "refit", True),
        (-1, 9, "refit", True),
    ]
    assert len({j.id for j in jobs}) == 2


def test_a_spent_budget_is_done_at_once() -> None:
    controller = Scenario(budget="10s").controller()
    assert controller.decide(Moment(10.0, search_ends=10.0)) == Done("the budget is spent")


def test_while_all_is_promised_the_controller_waits() -> None:
    controller = Scenario(only("quick"), budget="9cpu-s", slots=2).controller()
    while isinstance(decision := controller.decide(Moment(0.0)), Planned | JobPlanned):
        controller.apply(decision)
    assert decision == WAIT
    assert controller.ledger.free_device_seconds() <= 0.05


def test_what_was_measured_corrects_later_leases() -> None:
    controller = Scenario(only("curve"), "9trials").controller()
    while not isinstance(decision := controller.decide(Moment(0.0)), JobPlanned):
        controller.apply(decision)
    controller.apply(decision)
    member = decision.job.members[0]
    result = MemberResult(member.trial, member.fold, "done", score=0.5, steps=decision.job.stop_steps, cost=Cost(0, 1))
    before = controller.costs.default_cost("curve").step_seconds
    expected = CurveWorld().estimate(member.configuration).seconds(decision.job.stop_steps - decision.job.start_steps)
    controller.apply(JobEnded(JobResult(0, (result,), 3 * expected), 1.0, 3 * expected))
    assert controller.costs.default_cost("curve").step_seconds == pytest.approx(3 * before)


def test_a_controller_begins_with_its_start_applied() -> None:
    controller = Controller(Scenario().started(), Scenario().controller().brains)
    assert isinstance(controller.history.started, RunStarted)


# ---- what cannot be finished is not begun


class Stubborn:
    """A searcher that proposes the same configuration whatever happened."""

    def ask(self, space: SearchSpace, history: History, rng: np.random.Generator) -> Configuration:
        return space.candidates["curve"].default()


def test_a_listed_configuration_that_does_not_fit_is_passed_over_once() -> None:
    listed = (SPACE.candidates["curve"].default(),)
    run = Scenario(CurveWorld(), "60s", searcher=Stubborn(), scheduler=FullScheduler(), portfolio=listed).play()
    assert len([e for e in events(run) if isinstance(e, ProposalSkipped)]) <= 1
    assert run.history.phase is not None


def test_a_proposal_that_fits_is_preferred_to_one_that_does_not() -> None:
    run = Scenario(CurveWorld(misjudged={}), "400s", slots=2).play()
    late = [e for e in planned(run) if e.proposed is not None and e.at > 300]
    assert all(e.proposed.candidate != "curve" or e.job.rung == 0 for e in late)
