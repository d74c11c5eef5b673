from __future__ import annotations

from math import inf

import pytest

from automl.core.costs import LearnedCosts
from automl.core.events import Planned
from automl.core.history import History
from automl.core.job import Cost
from automl.core.protocols import WAIT, Continue, Done, Outlook, Start, Stop
from automl.core.space import Configuration
from automl.schedulers.asha import AshaScheduler
from automl.testing.history_builder import HistoryBuilder

COSTS = LearnedCosts(lambda configuration: Cost(1.0, 1.0), {})
FOREVER = Outlook(inf, 1, may_start=True)


def builder(*, full_steps: int = 27) -> HistoryBuilder:
    made = HistoryBuilder(folds=2)
    made.add(Planned({"cnn": full_steps, "linear": 1}, {"cnn": Cost(1.0, 1.0), "linear": Cost(1.0, 1.0)}, 0.0))
    return made


def cnn(number: int) -> Configuration:
    return Configuration("cnn", {"lr": float(number)})


def looked_at(*scores: float) -> HistoryBuilder:
    """A history in which so many trials were trained to the lowest rung."""
    made = builder()
    for number, score in enumerate(scores):
        made.end(made.start(cnn(number), rung=0), [score])
    return made


def move(history: History, outlook: Outlook = FOREVER, *, sign: float = 1.0) -> object:
    return AshaScheduler(sign).next(history, outlook, COSTS)


def test_the_best_of_three_is_promoted() -> None:
    assert move(looked_at(0.1, 0.3, 0.2).history) == Continue(1, (0,), 1)


def test_the_lowest_of_three_is_promoted_where_less_is_better() -> None:
    assert move(looked_at(0.1, 0.3, 0.2).history, sign=-1.0) == Continue(0, (0,), 1)


@pytest.mark.parametrize("scores", [(0.1,), (0.1, 0.2)], ids=["one", "two"])
def test_fewer_than_three_are_too_few_to_promote(scores: tuple[float, ...]) -> None:
    assert move(looked_at(*scores).history) == Start()


def test_a_trial_is_promoted_once() -> None:
    made = looked_at(0.1, 0.3, 0.2)
    made.promote(1, rung=1)
    assert move(made.history) == Start()


def test_the_highest_rung_is_promoted_first() -> None:
    made = looked_at(*[0.1 * n for n in range(9)])
    for number in (6, 7, 8):
        made.promote(number, rung=1)
        made.end(number, [0.1 * number])
    assert move(made.history) == Continue(8, (0,), 2)


def test_a_failed_trial_is_not_promoted() -> None:
    made = looked_at(0.1, 0.2, 0.3)
    made.promote(2, rung=1)
    made.end(2, [0.0], outcome="error")
    assert move(made.history) == Start()


def test_the_first_iterative_trial_goes_to_the_top() -> None:
    assert AshaScheduler(1.0).first_rung(cnn(0), builder().history, FOREVER, COSTS) == 3


def test_the_first_iterative_trial_starts_low_if_the_top_is_out_of_reach() -> None:
    assert AshaScheduler(1.0).first_rung(cnn(0), builder().history, Outlook(30.0, 1, may_start=True), COSTS) == 0


def test_later_iterative_trials_start_low() -> None:
    assert AshaScheduler(1.0).first_rung(cnn(9), looked_at(0.1).history, FOREVER, COSTS) == 0


def test_a_cheap_trial_goes_to_the_top() -> None:
    outlook = Outlook(100_000.0, 1, may_start=True)
    assert AshaScheduler(1.0).first_rung(cnn(9), looked_at(0.1).history, outlook, COSTS) == 3


def test_a_trial_that_trains_in_one_go_goes_to_the_top() -> None:
    plain = Configuration("linear", {})
    assert AshaScheduler(1.0).first_rung(plain, looked_at(0.1).history, FOREVER, COSTS) == 3


def test_near_the_deadline_the_best_paused_trial_is_taken_to_the_top() -> None:
    history = looked_at(0.1, 0.2).history
    need = 1.15 * 2 * (1 + 27)
    assert move(history, Outlook(need + 1.0, 1, may_start=True)) == Continue(1, (0,), 3)


def test_while_there_is_time_for_a_look_and_the_best_a_look_is_taken() -> None:
    assert move(looked_at(0.1, 0.2).history, Outlook(150.0, 1, may_start=True)) == Start()


def test_a_paused_trial_that_no_longer_fits_is_not_hurried() -> None:
    assert move(looked_at(0.1, 0.2).history, Outlook(20.0, 1, may_start=True)) == Start()


def test_a_trial_whose_folds_are_clearly_worse_is_stopped() -> None:
    made = builder()
    made.full(cnn(0), [0.90, 0.91])
    made.add(Planned({"cnn": 27}, {"cnn": Cost(1.0, 1.0)}, 0.0))
    number = one_fold_at_the_top(made, 0.5)
    found = move(made.history)
    assert isinstance(found, Stop)
    assert found.trial == number


def test_a_trial_whose_folds_are_not_clearly_worse_goes_on() -> None:
    made = builder()
    made.full(cnn(0), [0.90, 0.80])
    assert move(made.history) == Start()
    number = one_fold_at_the_top(made, 0.85)
    assert move(made.history) == Continue(number, (1,), 3)


def one_fold_at_the_top(made: HistoryBuilder, score: float) -> int:
    """Start a trial whose fold 0 alone is trained to the end."""
    from automl.core.events import JobEnded, JobPlanned
    from automl.core.job import FileRef, Job, JobResult, Member, MemberResult

    number = len(made.history.trials)
    job = Job(made.history.jobs, (Member(number, 0, cnn(number)),), 3, 0, 27, 27, keep_model=True)
    files = (FileRef(f"members/t{number:05d}-f0/r3/model.onnx", "00", 10),)
    result = MemberResult(number, 0, "done", score=score, steps=27, files=files)
    made.add(JobPlanned(job, 0.0, proposed=cnn(number)))
    made.add(JobEnded(JobResult(job.id, (result,), 1.0), 1.0, 1.0))
    return number


def test_while_something_runs_and_nothing_may_start_it_waits() -> None:
    made = looked_at(0.1)
    made.start(cnn(1), rung=0)
    assert move(made.history, Outlook(inf, 2, may_start=False)) == WAIT


def test_at_the_end_of_a_budget_of_trials_a_third_reaches_the_top() -> None:
    history = looked_at(0.1, 0.3).history
    assert move(history, Outlook(inf, 1, may_start=False)) == Continue(1, (0,), 3)


def test_nothing_left_to_do_is_done() -> None:
    assert isinstance(move(builder().history, Outlook(inf, 1, may_start=False)), Done)
