"""The simulated worlds keep the promises that searches in them rely on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from automl.core.events import RunStarted
from automl.core.job import Job, Member, Outcome
from automl.core.space import Configuration
from automl.testing.worlds import SPACE, CurveWorld, Sampling, Scenario

DRAWS = [SPACE.sample(np.random.default_rng(seed)) for seed in range(12)]
EACH = pytest.mark.parametrize("configuration", DRAWS, ids=[f"{n}-{d.candidate}" for n, d in enumerate(DRAWS)])


def job(configuration: Configuration, start: int, stop: int, full: int = 27) -> Job:
    return Job(0, (Member(0, 1, configuration),), 0, start, stop, full, keep_model=True)


@EACH
@pytest.mark.parametrize("seed", [0, 1, 99])
def test_a_score_is_a_share_and_follows_from_seed_configuration_fold_and_step(
    configuration: Configuration, seed: int
) -> None:
    scores = [CurveWorld(seed).score(configuration, fold=2, share=0.5) for _ in range(2)]
    assert scores[0] == scores[1]
    assert 0 <= scores[0] <= 1


@EACH
def test_without_noise_training_longer_never_hurts(configuration: Configuration) -> None:
    world = CurveWorld(noise=0.0)
    scores = [world.score(configuration, fold=0, share=step / 27) for step in range(1, 28)]
    assert scores == sorted(scores)


@EACH
@pytest.mark.parametrize("cut", [1, 9, 26])
def test_training_in_two_jobs_is_training_in_one(configuration: Configuration, cut: int) -> None:
    world = CurveWorld(3)
    whole = world.run(job(configuration, 0, 27)).members[0]
    parts = [world.run(job(configuration, *span)).members[0] for span in ((0, cut), (cut, 27))]
    assert parts[0].curve + parts[1].curve == whole.curve
    assert parts[1].score == whole.score


@EACH
def test_time_held_is_the_cost_of_the_steps(configuration: Configuration) -> None:
    world = CurveWorld()
    cost = world.cost(configuration)
    assert world.run(job(configuration, 3, 9)).held_seconds == pytest.approx(cost.seconds(6))


@EACH
@pytest.mark.parametrize("factor", [0.5, 1.0, 4.0])
def test_a_misjudged_candidate_costs_so_many_times_its_estimate(configuration: Configuration, factor: float) -> None:
    world = CurveWorld(misjudged={configuration.candidate: factor})
    guess, true = world.estimate(configuration), world.cost(configuration)
    assert true.seconds(10) == pytest.approx(factor * guess.seconds(10))


@EACH
def test_a_model_is_kept_where_it_is_wanted_and_a_checkpoint_where_training_may_go_on(
    configuration: Configuration,
) -> None:
    names = [{f.path.rsplit("/", 1)[1] for f in CurveWorld().run(job(configuration, 0, s)).members[0].files}
             for s in (9, 27)]  # fmt: skip
    assert names == [{"checkpoint.json", "model.onnx"}, {"model.onnx"}]


@pytest.mark.parametrize("outcome", ["error", "oom", "nan", "timeout", "lost", "stopped"])
def test_a_bad_end_has_no_score_and_a_reason(outcome: Outcome) -> None:
    def ending(job: Job, member: Member) -> Outcome:
        return outcome

    result = CurveWorld(ending=ending).run(job(DRAWS[0], 0, 9)).members[0]
    assert (result.outcome, result.score, result.curve) == (outcome, None, ())
    assert outcome in result.message


def test_the_best_learning_rate_is_a_hundredth() -> None:
    rates = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    found = [CurveWorld().quality(Configuration("curve", {"lr": lr})) for lr in rates]
    assert np.argmax(found) == 2
    assert found[0] == pytest.approx(found[4])


@pytest.mark.parametrize("trials", [1, 3, 8, 20])
@pytest.mark.parametrize("slots", [1, 3])
def test_a_search_starts_as_many_trials_as_its_budget_has(trials: int, slots: int) -> None:
    run = Scenario(budget=f"{trials}trials", slots=slots).play()
    assert len(run.history.trials) == trials
    assert not run.history.running


@pytest.mark.parametrize("seed", range(3))
def test_the_same_scenario_gives_the_same_events(seed: int) -> None:
    first, second = (list(Scenario(budget="8trials", seed=seed).play().parts.journal.replay()) for _ in range(2))
    assert first == second


def test_another_seed_gives_other_trials() -> None:
    keys = [{t.configuration.key() for t in Scenario(budget="12trials", seed=s).play().history.trials.values()}
            for s in (0, 1)]  # fmt: skip
    assert keys[0] != keys[1]


@pytest.mark.parametrize("seconds", [10, 60, 200])
@pytest.mark.parametrize("slots", [1, 4])
def test_a_search_in_time_ends_in_time(seconds: int, slots: int) -> None:
    run = Scenario(budget=f"{seconds}s", slots=slots).play()
    assert run.history.at <= seconds * 1.01 + 3


@pytest.mark.parametrize("kept", [1, 5, 12])
def test_a_search_goes_on_from_the_events_before(kept: int) -> None:
    scenario = Scenario(budget="10trials")
    events = list(scenario.play().parts.journal.replay())[1:]
    run = scenario.play(events[:kept])
    assert len(run.history.trials) == 10
    assert not run.history.running


def test_the_first_event_is_the_start_with_everything_a_replay_needs() -> None:
    run = Scenario(budget="2trials").play()
    first = next(iter(run.parts.journal.replay()))
    assert isinstance(first, RunStarted)
    assert first.space_sha256 == SPACE.sha256()


def test_draws_begin_with_the_candidate_without_parameters() -> None:
    history = replace(Scenario(budget="1trials")).prepare().history
    assert Sampling().ask(SPACE, history, np.random.default_rng(0)).candidate == "constant"
