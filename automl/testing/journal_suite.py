"""The contract of a journal. Inherit in a test file and give `make`."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from automl.core.data import DataSpec, Finding
from automl.core.events import (
    Decided,
    Event,
    Exported,
    JobEnded,
    JobPlanned,
    PhaseChanged,
    Planned,
    ProposalSkipped,
    Registered,
    Resumed,
    RunEnded,
    RunStarted,
    TestScore,
    Ticked,
    TrialStopped,
    Warned,
    Winner,
)  # fmt: skip
from automl.core.job import Cost, FileRef, Job, JobResult, Lease, Member, MemberResult, StopRule
from automl.core.protocols import Journal
from automl.core.request import SearchRequest
from automl.core.space import Configuration


def one_of_each() -> tuple[Event, ...]:
    """Return a short run in which every kind of event happens once, optional fields filled."""
    configuration = Configuration("cnn", {"lr": 0.1, "depth": 3, "norm": True, "optimizer": "sgd"})
    job = Job(0, (Member(0, 1, configuration),), rung=2, start_steps=3, stop_steps=9, full_steps=27, keep_model=True,
              lease=Lease("gpu", 0.5), stop_rule=StopRule(patience=2))  # fmt: skip
    result = MemberResult(0, 1, "done", 0.75, ((1, 0.5), (2, 0.75)), ((1, 0.9),), steps=9, best_step=2,
                          files=(FileRef("members/t00000-f1/model.onnx", "ab" * 32, 4096),),
                          cost=Cost(0.5, 0.25, 1 << 33), latency_ms=1.5, notes={"precision": "bf16"})  # fmt: skip
    winner = Winner("ensemble", "cnn", {0: 0.75, 4: 0.25}, 0.75, 0.01, 0.74, 0.72, 0.76, None, "bootstrap")
    return (
        _started(configuration),
        Planned({"cnn": 27}, {"cnn": Cost(0.5, 0.25)}, 12.5),
        JobPlanned(job, 1.25, configuration, "portfolio", 0.002),
        JobEnded(JobResult(0, (result,), 3.5, "worker-0"), 4.75, 1.75),
        TrialStopped(0, "worse than the best on fold 0 — stopped", 5.0),
        ProposalSkipped(configuration, 40.5, 5.5),
        Ticked(6.0),
        Exported("artifacts/0001", "cd" * 32, (0, 4), 0.75, 0.5, 7.0),
        PhaseChanged("finalising", "budget", 8.0),
        Warned("mlflow", "server\nis away", 8.5),
        Resumed(8.5, 1.7e9, "+1gpu-h"),
        Decided(winner, "artifacts/0002", "ef" * 32, TestScore("accuracy", 0.7, 0.6, 0.8, {"f1": 0.7}, 90), 9.0),
        Registered("models:/m/1", "1", "abc", True, "", 9.5),
        RunEnded("done", "", 10.0, {"spend": "10 s"}),
    )


def _started(configuration: Configuration) -> RunStarted:
    spec = DataSpec("flowers", "image", 90, (8, 8, 3), ("a", "ß"), (45, 45), "12" * 32, {"size": [8, 8], "mean": 0.5})
    return RunStarted(
        "flowers-1", SearchRequest("image-clf", data="./flowers"), (1 << 62) + 1, spec, (Finding("few", "info", "90"),),
        {"cnn": 'candidate = "cnn"\n'}, {"cnn": "search_spaces/image-clf/cnn.toml"}, "34" * 32, (configuration,),
        {"automl": "0.1.0"}, 1.7e9, "accuracy", 3, 2, "gpu", "/data",
    )  # fmt: skip


class JournalSuite:
    """What every journal must do."""

    def make(self, folder: Path) -> Journal:
        """Return an empty journal; folder is empty and its own."""
        raise NotImplementedError(f"{type(self).__name__}.make gives no journal for {folder}")

    @pytest.fixture
    def journal(self, tmp_path: Path) -> Journal:
        """Give each test an empty journal."""
        return self.make(tmp_path)

    def test_a_new_journal_is_empty(self, journal: Journal) -> None:
        """Nothing has happened yet."""
        assert list(journal.replay()) == []

    @pytest.mark.parametrize("event", one_of_each(), ids=lambda e: type(e).__name__)
    def test_an_event_comes_back_equal(self, journal: Journal, event: Event) -> None:
        """Values, nesting, tuples, infinities and all."""
        journal.append(event)
        assert list(journal.replay()) == [event]

    def test_events_come_back_in_order(self, journal: Journal) -> None:
        """First in, first out."""
        for event in one_of_each():
            journal.append(event)
        assert tuple(journal.replay()) == one_of_each()

    def test_events_that_are_not_durable_keep_their_place(self, journal: Journal) -> None:
        """Replay shows them, in order with durable ones."""
        for number in range(6):
            journal.append(Ticked(float(number)), durable=number % 3 == 2)
        journal.append(Ticked(6.0), durable=False)
        assert list(journal.replay()) == [Ticked(float(n)) for n in range(7)]

    def test_replay_can_be_asked_again(self, journal: Journal) -> None:
        """Reading takes nothing away."""
        journal.append(Ticked(1.0))
        assert list(journal.replay()) == list(journal.replay()) == [Ticked(1.0)]

    def test_a_replay_is_not_upset_by_appends(self, journal: Journal) -> None:
        """A reader and the writer do not block each other."""
        journal.append(Ticked(1.0))
        events = journal.replay()
        first = next(events)
        journal.append(Ticked(2.0))
        assert first == Ticked(1.0)
        assert list(events) in ([], [Ticked(2.0)])

    def test_threads_may_append_at_once(self, journal: Journal) -> None:
        """No event is lost or doubled."""
        threads = [threading.Thread(target=_append, args=(journal, 100.0 * n)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(e.at for e in journal.replay() if isinstance(e, Ticked)) == [
            100.0 * n + i for n in range(4) for i in range(10)
        ]

    def test_a_closed_journal_can_be_replayed_but_takes_nothing(self, journal: Journal) -> None:
        """Closing twice does no harm."""
        journal.append(Ticked(1.0), durable=False)
        journal.close()
        journal.close()
        assert list(journal.replay()) == [Ticked(1.0)]
        with pytest.raises(ValueError, match=r"closed and takes no Ticked"):
            journal.append(Ticked(2.0))


def _append(journal: Journal, start: float) -> None:
    for i in range(10):
        journal.append(Ticked(start + i), durable=i % 2 == 0)
