"""The journal of one process, and who may open a run folder."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from automl.core.events import Ticked
from automl.errors import MachineError, RunError
from automl.journals import MemoryJournal, RunLock, SqliteJournal
from automl.journals.filesystem import kind_of
from automl.testing.journal_suite import one_of_each

HOLD = "import sys, pathlib; from automl.journals import RunLock; lock = RunLock(pathlib.Path(sys.argv[1]))\n"


def test_it_begins_with_what_it_was_given() -> None:
    assert list(MemoryJournal(one_of_each()).replay()) == list(one_of_each())


def test_a_replay_shows_the_moment_it_was_asked_for() -> None:
    journal = MemoryJournal([Ticked(1.0)])
    seen = journal.replay()
    journal.append(Ticked(2.0))
    assert (list(seen), len(list(journal.replay()))) == ([Ticked(1.0)], 2)


def test_the_list_it_was_given_stays_the_callers() -> None:
    events = [Ticked(1.0)]
    MemoryJournal(events).append(Ticked(2.0))
    assert events == [Ticked(1.0)]


@pytest.mark.parametrize("durable", [True, False])
def test_a_closed_journal_takes_nothing_and_still_tells(durable: bool) -> None:
    journal = MemoryJournal([Ticked(1.0)])
    journal.close()
    with pytest.raises(ValueError, match="the journal is closed and takes no Ticked"):
        journal.append(Ticked(2.0), durable=durable)
    assert list(journal.replay()) == [Ticked(1.0)]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_events_of_several_threads_are_all_kept(kind: str, tmp_path: Path) -> None:
    journal = MemoryJournal() if kind == "memory" else SqliteJournal(tmp_path / "run.db")
    threads = [
        threading.Thread(target=lambda t=t: [journal.append(Ticked(100.0 * t + i), durable=False) for i in range(50)])
        for t in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(e.at for e in journal.replay()) == [100.0 * t + i for t in range(4) for i in range(50)]
    journal.close()


def test_a_journal_that_cannot_be_verified_holds_no_file_open(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "run.db")
    for at in (1.0, 2.0, 3.0):
        journal.append(Ticked(at))
    journal._connection.execute("UPDATE event SET payload = '{}' WHERE seq = 2")
    journal.close()
    with pytest.raises(RunError, match="damaged at event 2"):
        SqliteJournal(tmp_path / "run.db")
    assert open_files(tmp_path) == []


def open_files(folder: Path) -> list[str]:
    fds = Path("/proc/self/fd")
    return [str(fd.resolve()) for fd in fds.iterdir() if str(folder) in str(fd.resolve())] if fds.exists() else []


def test_a_folder_is_locked_by_one_and_told_who(tmp_path: Path) -> None:
    import os

    with RunLock(tmp_path), pytest.raises(RunError, match=rf"process {os.getpid()} works on this run. Wait for it"):
        RunLock(tmp_path)


def test_a_released_folder_is_free_and_releasing_twice_is_fine(tmp_path: Path) -> None:
    lock = RunLock(tmp_path)
    lock.release()
    lock.release()
    RunLock(tmp_path).release()


def test_a_process_that_died_holds_no_lock(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", HOLD + "import os; os._exit(9)", str(tmp_path)], check=False)
    RunLock(tmp_path).release()


def test_a_folder_that_is_not_there_cannot_be_locked(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match=r"lock: cannot be locked: No such file or directory\. Choose another --out"):
        RunLock(tmp_path / "nowhere")


@pytest.mark.parametrize("left_over", ["", "not a number", "99999999", "12\n34"])
def test_what_an_older_lock_file_says_does_not_matter(left_over: str, tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(left_over)
    with RunLock(tmp_path):
        assert (tmp_path / "lock").read_text().strip().isdigit()


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
tmpfs /tmp tmpfs rw 0 0
server:/home /home nfs4 rw 0 0
//nas/share /mnt/my\\040share cifs rw 0 0
host:/x /tmp/deep nfs rw 0 0
overlay /tmp/deep/local overlay rw 0 0
broken line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/etc/passwd", "ext4"),
        ("/tmp", "tmpfs"),
        ("/tmp/run", "tmpfs"),
        ("/tmpfoo", "ext4"),
        ("/home", "nfs4"),
        ("/home/ann/runs/x", "nfs4"),
        ("/homework", "ext4"),
        ("/mnt/my share/run", "cifs"),
        ("/mnt/other", "ext4"),
        ("/tmp/deep/run", "nfs"),
        ("/tmp/deep/local/run", "overlay"),
    ],
)
def test_the_nearest_mount_point_tells_the_file_system(path: str, kind: str) -> None:
    assert kind_of(Path(path), MOUNTS) == kind


def test_without_mounts_the_file_system_is_unknown() -> None:
    assert kind_of(Path("/data"), "") == ""
