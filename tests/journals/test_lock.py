from __future__ import annotations

import os
import subprocess
import sys

import pytest

from automl.errors import MachineError, RunError
from automl.journals import RunLock

HOLD = "import sys, pathlib; from automl.journals.lock import RunLock; "


def test_the_lock_file_names_the_process(tmp_path):
    with RunLock(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_a_second_holder_is_told_who_is_there(tmp_path):
    with RunLock(tmp_path), pytest.raises(RunError, match=f"process {os.getpid()} works on this run"):
        RunLock(tmp_path)


def test_another_process_is_told_who_is_there(tmp_path):
    code = HOLD + "RunLock(pathlib.Path(sys.argv[1]))"
    with RunLock(tmp_path):
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert f"process {os.getpid()} works on this run" in done.stderr


def test_a_released_lock_can_be_taken_again(tmp_path):
    first = RunLock(tmp_path)
    first.release()
    first.release()
    with RunLock(tmp_path):
        assert (tmp_path / "lock").exists()


def test_a_killed_holder_leaves_no_lock(tmp_path):
    code = HOLD + "RunLock(pathlib.Path(sys.argv[1])); import os; os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    with RunLock(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_a_started_program_does_not_inherit_the_lock(tmp_path):
    with RunLock(tmp_path) as lock:
        assert not os.get_inheritable(lock._file)


def test_a_folder_that_is_not_there_is_the_machines_trouble(tmp_path):
    with pytest.raises(MachineError, match=r"nowhere/lock: cannot be locked: No such file"):
        RunLock(tmp_path / "nowhere")
