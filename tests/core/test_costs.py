from __future__ import annotations

import pytest

from automl.core.costs import LearnedCosts
from automl.core.events import JobEnded
from automl.core.job import Cost, Job, JobResult, Lease, Member, MemberResult, Outcome, Purpose
from automl.core.space import Configuration

NARROW, WIDE = Configuration("cnn", {"width": 1}), Configuration("cnn", {"width": 4})


def costs() -> LearnedCosts:
    return LearnedCosts(lambda c: Cost(0.0, float(c.values["width"])), {"cnn": NARROW})


def told(
    model: LearnedCosts, held: float, *, outcome: Outcome = "done", purpose: Purpose = "train", lease: float = 1e9
) -> LearnedCosts:
    """Teach that 10 steps of the narrow one took so long."""
    job = Job(0, (Member(0, 0, NARROW),), 0, 0, 10, 10, purpose=purpose, lease=Lease(seconds=lease))
    model.learn(job, JobEnded(JobResult(0, (MemberResult(0, 0, outcome),), held), 0.0, held))
    return model


def test_at_first_the_estimate_is_believed() -> None:
    assert costs().seconds(WIDE, start=3, stop=9) == 24.0


def test_what_one_configuration_took_corrects_all_of_its_candidate() -> None:
    assert told(costs(), 30.0).seconds(WIDE, start=0, stop=1) == pytest.approx(12.0)


def test_other_candidates_are_not_corrected() -> None:
    model = LearnedCosts(lambda c: Cost(0.0, 1.0), {"cnn": NARROW})
    told(model, 30.0)
    assert model.seconds(Configuration("gbdt", {}), start=0, stop=1) == 1.0


def test_one_slow_job_among_many_does_not_count() -> None:
    model = costs()
    for held in (20.0, 20.0, 2000.0, 20.0, 20.0):
        told(model, held)
    assert model.seconds(NARROW, start=0, stop=1) == pytest.approx(2.0)


def test_what_was_long_ago_is_forgotten() -> None:
    model = costs()
    for held in [1000.0] * 9 + [10.0] * 7:
        told(model, held)
    assert model.seconds(NARROW, start=0, stop=1) == pytest.approx(1.0)


@pytest.mark.parametrize("outcome", ["error", "stopped", "lost", "oom"])
def test_a_job_that_did_not_finish_teaches_nothing(outcome: Outcome) -> None:
    assert told(costs(), 500.0, outcome=outcome).seconds(NARROW, start=0, stop=1) == 1.0


def test_a_job_cut_at_its_lease_is_taken_to_need_twice_as_long() -> None:
    assert told(costs(), 15.0, outcome="stopped", lease=15.0).seconds(NARROW, start=0, stop=1) == pytest.approx(3.0)


@pytest.mark.parametrize("purpose", ["probe", "refit"])
def test_only_training_teaches(purpose: Purpose) -> None:
    assert told(costs(), 500.0, purpose=purpose).seconds(NARROW, start=0, stop=1) == 1.0


def test_a_probe_replaces_what_was_learned() -> None:
    model = told(costs(), 500.0)
    model.learn_probe("cnn", Cost(0.0, 2.0))
    assert model.default_cost("cnn") == Cost(0.0, 2.0)
    assert model.seconds(WIDE, start=0, stop=1) == pytest.approx(8.0)


def test_an_estimate_of_nothing_is_no_trouble() -> None:
    model = LearnedCosts(lambda c: Cost(0.0, 0.0), {"cnn": NARROW})
    assert told(model, 5.0).seconds(NARROW, start=0, stop=1) == 0.0
