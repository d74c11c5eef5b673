"""The console follows a run from its own thread and never holds it up."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable

import pytest

from automl.core.clock import FakeClock
from automl.core.data import Finding
from automl.core.events import Event, JobEnded, JobPlanned, PhaseChanged, Planned, Resumed, RunEnded, Warned
from automl.core.job import Job, JobResult, Member, MemberResult, Report
from automl.core.space import Configuration
from automl.recorders import console as console_module
from automl.recorders.console import ConsoleRecorder
from automl.testing.history_builder import HistoryBuilder

CNN = Configuration("cnn", {"lr": 0.1})


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def events() -> list[Event]:
    builder = HistoryBuilder()
    builder.add(Planned({"cnn": 9}, {}, 9.0, (Finding("b", "warning", "3 images appear twice"),)))
    builder.full(CNN, [0.8, 0.9])
    builder.failed(CNN)
    builder.full(CNN, [0.7, 0.7])
    builder.add(Warned("mlflow", "the server is silent", 20.0))
    builder.add(PhaseChanged("finalising", "the budget is spent", 21.0))
    builder.add(RunEnded("done", "the budget is spent", 22.0))
    return builder.events


def shown(told: Iterable[Event], stream: io.StringIO | None = None, **options: bool) -> str:
    stream = stream or io.StringIO()
    console = ConsoleRecorder(stream, clock=FakeClock(5.0), **options)
    for event in told:
        console.on_event(event)
    console.close()
    return stream.getvalue()


@pytest.mark.parametrize(
    "line",
    [
        "tiny, image-clf: 20 images 8x8x3, 2 classes",
        "accuracy, 2 folds, 1 cpu worker, seed 0",
        "plan: full training is cnn 9 steps; 0:09 kept back for finishing",
        "warning: 3 images appear twice",
        "trial 0 cnn: 0.8500 +- 0.0500, best so far",
        "trial 1 cnn failed: ended as error",
        "trial 2 cnn: 0.7000 +- 0.0000\n",
        "warning: mlflow: the server is silent",
        "finalising: the budget is spent",
        "done: the budget is spent",
    ],
)
def test_a_log_gets_a_line_for_what_matters(line: str) -> None:
    assert line in shown(events())


def test_a_log_gets_no_control_characters() -> None:
    assert "\x1b" not in shown(events())


def test_lines_begin_with_the_run_time() -> None:
    assert shown(events()).splitlines()[-1] == "   0:22  done: the budget is spent"


def test_quiet_tells_warnings_alone() -> None:
    told = ["warning: 3 images appear twice", "warning: mlflow: the server is silent"]
    assert shown(events(), quiet=True).splitlines() == told


def test_quiet_holds_on_a_terminal_too() -> None:
    assert "\x1b" not in shown(events(), Terminal(), quiet=True)


def test_a_terminal_gets_a_picture() -> None:
    drawn = shown(events(), Terminal())
    assert "leaderboard" in drawn
    assert "done after 0:22" in drawn


def test_a_resumed_run_does_not_tell_its_past_again() -> None:
    lines = shown([*events(), Resumed(30.0, 0.0, "+5min")], is_resume=True).splitlines()
    assert lines == ["   0:30  going on after 0:30, +5min added"]


def test_events_before_the_start_of_a_run_are_passed_over() -> None:
    assert shown(events()[1:]) == ""


def test_a_probe_is_not_told_as_a_trial() -> None:
    probe = Job(9, (Member(0, 0, CNN),), 0, 0, 3, 9, purpose="probe")
    ended = JobEnded(JobResult(9, (MemberResult(0, 0, "done"),), 2.0), at=9.0, device_seconds=2.0)
    told = [*events()[:4], JobPlanned(probe, at=8.0), ended]
    assert shown(told).count("trial 0 cnn") == 1


def test_closing_twice_is_fine() -> None:
    console = ConsoleRecorder(io.StringIO())
    console.close()
    console.close()


def test_signs_of_life_of_an_ended_job_are_forgotten() -> None:
    console = ConsoleRecorder(io.StringIO(), clock=FakeClock())
    for event in events()[:3]:
        console.on_event(event)
    console.on_report(Report(0, 0, 0, 1, 0.5))
    console.on_event(events()[3])
    console.close()
    assert console._reports == {}


def test_an_event_is_taken_in_at_once() -> None:
    console = ConsoleRecorder(Terminal(), clock=FakeClock())
    told = events()
    began = time.perf_counter()
    for _ in range(10_000):
        console.on_event(told[0])
    assert time.perf_counter() - began < 1.0
    console.close()


def test_a_long_silence_is_broken_by_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_module, "HEARTBEAT_SECONDS", 0.0)
    assert "3 trials, 2 full, 1 failed; best cnn 0.8500; 0:22 of 10:00" in shown(events())


def test_drawing_costs_less_than_a_hundredth_of_a_core() -> None:
    from rich.console import Console
    from rich.live import Live

    console = ConsoleRecorder(Terminal(), clock=FakeClock())
    screen = Console(file=Terminal(), force_terminal=True, width=80)
    console.close()
    with Live(console=screen, auto_refresh=False) as live:
        began = time.thread_time()
        pause = console._frame(screen, live)
        cost = time.thread_time() - began
    assert pause >= min(console_module.LONGEST_PAUSE_SECONDS, 0.9 * cost / console_module.CPU_SHARE)
