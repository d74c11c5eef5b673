from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from automl.run.signals import ASKED, asking

TWICE = """
import os, signal, time
from automl.run.signals import asking
with asking(print):
    os.kill(os.getpid(), {first})
    os.kill(os.getpid(), {second})
    time.sleep(5)
"""


@pytest.fixture(autouse=True)
def _handlers_as_before() -> object:
    before = {number: signal.getsignal(number) for number in ASKED}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (signal.SIGINT, "stopped by the user"),
        (signal.SIGTERM, "stopped by SIGTERM"),
        (signal.SIGHUP, "stopped by SIGHUP"),
    ],
)
def test_the_first_signal_asks_the_run_to_end(number: signal.Signals, reason: str) -> None:
    said: list[str] = []
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with asking(said.append):
        os.kill(os.getpid(), number)
    assert said == [reason]


@pytest.mark.parametrize(("first", "second"), [(2, 2), (15, 15), (2, 15)], ids=["int int", "term term", "int term"])
def test_the_second_signal_ends_the_program_at_once(first: int, second: int) -> None:
    code = TWICE.format(first=first, second=second)
    done = subprocess.run([sys.executable, "-c", code], timeout=20, capture_output=True, check=False)
    assert done.returncode == 128 + second


def test_handlers_are_as_before_when_the_run_is_over() -> None:
    before = [signal.getsignal(number) for number in ASKED]
    with asking(print):
        assert [signal.getsignal(number) for number in ASKED] != before
    assert [signal.getsignal(number) for number in ASKED] == before


def test_handlers_are_as_before_after_an_error() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ValueError, match="no"), asking(print):
        raise ValueError("no")
    assert signal.getsignal(signal.SIGINT) is before


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    said: list[str] = []
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with asking(said.append):
        os.kill(os.getpid(), signal.SIGHUP)
    assert said == []
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_an_ignored_interrupt_still_ends_the_run() -> None:
    said: list[str] = []
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with asking(said.append):
        os.kill(os.getpid(), signal.SIGINT)
    assert said == ["stopped by the user"]


def test_on_another_thread_nothing_is_touched() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with asking(print):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_two_runs_one_after_the_other_each_get_their_first_signal() -> None:
    said: list[str] = []
    for _ in range(2):
        with asking(said.append):
            os.kill(os.getpid(), signal.SIGTERM)
    assert said == ["stopped by SIGTERM"] * 2
