from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from automl.core.job import FileRef, MemberResult
from automl.errors import MachineError, RunError
from automl.run import folder as module
from automl.run.folder import RunFolder, private_files, unused


def mask() -> int:
    now = os.umask(0o022)
    os.umask(now)
    return now


@pytest.fixture(autouse=True)
def _usual_mask() -> object:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.parametrize(
    ("name", "file"),
    [("journal", "run.db"), ("folds", "folds.npy"), ("artifact", "artifact"), ("artifacts", "artifacts"),
     ("report", "report.html")],
)  # fmt: skip
def test_every_file_has_its_place(name: str, file: str) -> None:
    assert getattr(RunFolder(Path("runs/x")), name) == Path("runs/x") / file


@pytest.mark.parametrize("name", ["run", "with space", "größe", "a/b/c", "-dash"])
def test_a_run_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    RunFolder(tmp_path / name).create()
    assert (tmp_path / name).is_dir()


def test_a_relative_folder_is_made_where_we_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    RunFolder(Path("runs") / "one").create()
    assert (tmp_path / "runs" / "one").is_dir()


def test_an_empty_folder_may_be_there_already(tmp_path: Path) -> None:
    RunFolder(tmp_path).create()
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(RunError, match=r"a run needs a folder. Got a file"):
        RunFolder(tmp_path / "run").create()


def test_a_check_makes_nothing(tmp_path: Path) -> None:
    RunFolder(tmp_path / "run").check()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written_is_the_users_to_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.os, "access", lambda *_: False)
    with pytest.raises(RunError, match=r"cannot be written \(Permission denied\). Name another"):
        RunFolder(tmp_path / "run").create()


def test_a_full_disk_is_the_machines_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_FREE_BYTES", 1 << 62)
    with pytest.raises(MachineError, match=r"must be free there. Got \d+ MiB"):
        RunFolder(tmp_path / "run").create()


def test_a_member_without_files_is_told_by_trial_and_fold(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="trial 7, fold 2 left no files"):
        RunFolder(tmp_path).files_of(MemberResult(7, 2, "done"))


def test_the_files_of_a_member_lie_together(tmp_path: Path) -> None:
    result = MemberResult(
        0, 0, "done", files=(FileRef("members/a/r3/m.onnx", "0", 1), FileRef("members/a/r3/z", "0", 1))
    )
    assert RunFolder(tmp_path).files_of(result) == tmp_path / "members/a/r3"


# ---- a folder nobody uses


def test_the_first_free_name_is_taken(tmp_path: Path) -> None:
    assert [unused(tmp_path / "run").name for _ in range(3)] == ["run", "run-2", "run-3"]


def test_a_new_folder_is_private(tmp_path: Path) -> None:
    assert unused(tmp_path / "runs" / "run").stat().st_mode & 0o777 == 0o700


def test_runs_that_begin_at_once_get_folders_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: unused(tmp_path / "run"), range(24)))
    assert len(set(made)) == 24


def test_a_place_where_no_folder_can_be_made_is_told() -> None:
    with pytest.raises(MachineError, match=r"/dev/null/run: cannot be created"):
        unused(Path("/dev/null/run"))


# ---- private files


def test_files_are_private_within_and_as_before_after(tmp_path: Path) -> None:
    with private_files():
        (tmp_path / "in").touch()
    (tmp_path / "out").touch()
    assert [(tmp_path / n).stat().st_mode & 0o777 for n in ("in", "out")] == [0o600, 0o644]


def test_the_mask_comes_back_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError, match="division"), private_files():
        _ = 1 / 0
    assert mask() == 0o022


def test_the_mask_of_overlapping_runs_is_that_of_before_the_first() -> None:
    first, second = private_files(), private_files()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert mask() == 0o077
    second.__exit__(None, None, None)
    assert mask() == 0o022


def test_threads_that_come_and_go_leave_the_mask_as_it_was() -> None:
    barrier = threading.Barrier(8)

    def work(_: int) -> int:
        with private_files():
            barrier.wait()
            return mask()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert mask() == 0o022
