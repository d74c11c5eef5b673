"""What starting costs: CPU milliseconds above a bare interpreter, the least of several interleaved runs.

python tests/bench/bench_start.py [--runs 15]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

COMMANDS = {
    "bare interpreter": ["-c", "pass"],
    "import automl": ["-c", "import automl"],
    "import argparse": ["-c", "import argparse"],
    "automl --help": ["-m", "automl", "--help"],
    "automl search --help": ["-m", "automl", "search", "--help"],
    "import automl.api": ["-c", "import automl.api"],
}


def cpu_milliseconds(arguments: list[str]) -> float:
    """Return the CPU time of one interpreter, its children left out."""
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{arguments} ended with {process.returncode}")
    return 1000 * (usage.ru_utime + usage.ru_stime)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    least = dict.fromkeys(COMMANDS, float("inf"))
    for _ in range(runs):
        for name, arguments in COMMANDS.items():
            least[name] = min(least[name], cpu_milliseconds(arguments))
    bare = least["bare interpreter"]
    print("what                    CPU-ms   above bare")
    for name, value in least.items():
        print(f"{name:22} {value:7.1f} {value - bare:12.1f}")


if __name__ == "__main__":
    main()
