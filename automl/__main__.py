"""The first line of the program: wall budgets are counted from here."""

from __future__ import annotations

import time

FIRST_LINE = time.monotonic()

import os  # noqa: E402
import sys  # noqa: E402

LONGEST_START_SECONDS = 3.0
"""An older process was replaced by ours (`exec`): its age is not ours. Also how exactly a wall budget is kept."""


def process_age(stat: str, seconds_since_boot: float, ticks_per_second: int) -> float:
    """Return the seconds since a process began, from its `/proc/<pid>/stat` line.

    Source: proc_pid_stat(5), field 22, in clock ticks since boot; the name in field 2 may hold spaces.

    >>> process_age("7 (a b) S " + "0 " * 18 + "500 0", seconds_since_boot=6.0, ticks_per_second=100)
    1.0
    """
    return seconds_since_boot - int(stat.rpartition(")")[2].split()[19]) / ticks_per_second


def started(first_line: float = FIRST_LINE) -> float:
    """Return the monotonic second at which this process began; the first line where the machine does not tell."""
    try:
        with open("/proc/self/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib loads slowly
            stat = file.read()
    except FileNotFoundError:
        return first_line
    age = process_age(stat, time.clock_gettime(time.CLOCK_BOOTTIME), os.sysconf("SC_CLK_TCK"))
    began = time.monotonic() - age
    return began if 0.0 <= first_line - began <= LONGEST_START_SECONDS else first_line


STARTED = started()
"""The monotonic second at which the program began, the interpreter's own start included."""


def main() -> int:
    """Run the command line and return its exit code."""
    from automl.cli.main import main as run

    return run(sys.argv[1:], started=STARTED)


if __name__ == "__main__":
    sys.exit(main())
