from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from automl.core.protocols import WorkOrder
from automl.errors import MachineError
from automl.executors.local import LocalExecutor, make
from automl.executors.zygote import THREAD_LIMITS
from automl.testing.executor_suite import ScriptedPort
from automl.testing.workloads import ORDER, act

DRIVER = """
import time
from automl.executors.local import LocalExecutor
from automl.testing.executor_suite import ScriptedPort
from automl.testing.workloads import ORDER, act
executor = LocalExecutor(2)
executor.warm(("automl.testing.workloads",))
executor.start(ORDER)
executor.run(ScriptedPort([act(0), act(1)]))
print("ready", flush=True)
executor.run(ScriptedPort([act(2, {what!r}, seconds=120.0), act(3, seconds=120.0)]))
"""
WITHOUT_GUARD = """
from automl.executors.local import LocalExecutor
from automl.testing.executor_suite import ScriptedPort
from automl.testing.workloads import ORDER, act
print("loaded")
executor = LocalExecutor(2)
executor.start(ORDER)
port = ScriptedPort([act(n) for n in range(4)])
executor.run(port)
executor.stop()
print(len(port.results))
"""


def family(process: int) -> list[psutil.Process]:
    return alive(psutil.Process(process).children(recursive=True))


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def wait_until_gone(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    end = time.monotonic() + seconds
    while alive(processes) and time.monotonic() < end:
        time.sleep(0.05)
    return alive(processes)


@pytest.mark.faults
@pytest.mark.parametrize("what", ["done", "stubborn"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "term"])
def test_nothing_is_alive_fifteen_seconds_after_the_driver_died(what: str, number: signal.Signals) -> None:
    command = [sys.executable, "-c", DRIVER.format(what=what)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "ready\n"
        time.sleep(0.3)
        ours = family(driver.pid)
        driver.send_signal(number)
    assert len(ours) >= 3
    assert wait_until_gone(ours, 15.0) == []


def test_a_script_without_a_main_guard_is_not_run_again_by_workers(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(WITHOUT_GUARD, encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["loaded", "4"]


def test_nothing_is_alive_after_stop_even_if_nothing_was_ready() -> None:
    executor = make(3)
    executor.warm(("json",))
    executor.start(ORDER)
    ours = family(os.getpid())
    executor.stop()
    assert wait_until_gone(ours, 5.0) == []


def test_workers_and_their_parent_ignore_an_interrupt_from_the_keyboard() -> None:
    executor = make(1)
    executor.start(ORDER)
    executor.run(first := ScriptedPort([act(0)]))
    for process in family(os.getpid()):
        process.send_signal(signal.SIGINT)
    executor.run(second := ScriptedPort([act(1)]))
    executor.stop()
    assert first.member(0).notes["process"] == second.member(1).notes["process"]


def test_a_worker_has_one_thread_for_numbers_and_waits_without_spinning() -> None:
    executor = make(1)
    executor.start(ORDER)
    port = ScriptedPort([act(0)])
    executor.run(port)
    environment = psutil.Process(int(port.member(0).notes["process"])).environ()
    executor.stop()
    assert {k: environment[k] for k in THREAD_LIMITS} == THREAD_LIMITS


@pytest.mark.parametrize(
    "order", [WorkOrder("automl.no_such_module:make", {}), WorkOrder("automl.testing.workloads:make", {})],
    ids=["no module", "no argument"],
)  # fmt: skip
def test_a_worker_that_cannot_start_is_the_machines_error(order: WorkOrder, capfd: pytest.CaptureFixture[str]) -> None:
    executor = make(1)
    executor.start(order)
    with pytest.raises(MachineError, match=r"worker w0 .*died while it started"):
        executor.run(ScriptedPort([act(0)]))
    executor.stop()
    assert "Traceback" in capfd.readouterr().err


def test_a_replaced_worker_is_another_process() -> None:
    executor = LocalExecutor(1)
    executor.start(ORDER)
    port = ScriptedPort([act(0), act(1, "die"), act(2)])
    executor.run(port)
    executor.stop()
    assert port.member(0).notes["process"] != port.member(2).notes["process"]


def test_the_parent_of_workers_may_die_and_is_replaced() -> None:
    executor = make(1)
    executor.start(ORDER)
    executor.run(ScriptedPort([act(0)]))
    parent = next(p for p in family(os.getpid()) if "automl.executors.zygote" in p.cmdline())
    parent.kill()
    port = ScriptedPort([act(1, "die"), act(2)])
    executor.run(port)
    executor.stop()
    assert port.member(2).outcome == "done"
