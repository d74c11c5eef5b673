"""Check this machine and its packages, and say what to do about what is wrong."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal, NamedTuple

from automl import __version__
from automl.cli.parser import CommandParser

EXAMPLES = """
automl doctor
"""
PACKAGES = ("numpy", "optuna", "ray", "torch", "scikit-learn", "mlflow", "rich", "pandas", "pyarrow", "pillow",
            "lightgbm", "onnx", "onnxruntime", "skl2onnx", "safetensors", "psutil", "msgspec")  # fmt: skip
_LEAST_MEMORY_BYTES, _LEAST_DISK_BYTES = 2 << 30, 2 << 30
_GPU_QUESTION = """
import json, torch
found = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
print(json.dumps([[p.name, p.total_memory] for p in found]))
"""
_GPU_SECONDS = 120
_MARKS = {"ok": "ok     ", "warning": "warning", "problem": "PROBLEM"}


class Check(NamedTuple):
    """One thing that was looked at.

    Attributes:
        remedy: what to do, where something is wrong.
    """

    name: str
    state: Literal["ok", "warning", "problem"]
    text: str
    remedy: str = ""


def add_arguments(parser: CommandParser) -> None:
    """Add the arguments of `automl doctor`: none."""


def run(args: argparse.Namespace) -> int:
    """Print every check as it is made; a problem makes the exit code 4."""
    worst = 0
    for check in checks(Path.cwd()):
        worst = 4 if check.state == "problem" else worst
        sys.stdout.write(render(check))
        sys.stdout.flush()
    return worst


def render(check: Check) -> str:
    """Return one check as a line, and its remedy as a second one."""
    line = f"{_MARKS[check.state]}  {check.name:<9}  {check.text}\n"
    return line + (f"{'':<20}do: {check.remedy}\n" if check.remedy else "")


def checks(folder: Path) -> Iterator[Check]:
    """Yield all checks, the quick ones first.

    Args:
        folder: where runs would be written.
    """
    from automl.data.cache import cache_root

    yield Check("automl", "ok", f"{__version__}, Python {platform.python_version()}, {platform.platform(terse=True)}")
    yield check_packages()
    yield check_cores()
    yield check_memory()
    yield check_disk("disk", folder)
    yield check_disk("cache", cache_root())
    yield check_store(folder / "mlflow.db")
    yield check_gpus()


def check_packages(packages: tuple[str, ...] = PACKAGES) -> Check:
    """Return the versions of what we stand on, or what is missing."""
    found = {name: _version(name) for name in packages}
    missing = [name for name, number in found.items() if not number]
    if missing:
        return Check("packages", "problem", f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    return Check("packages", "ok", ", ".join(f"{name} {number}" for name, number in found.items()))


def check_cores() -> Check:
    """Return the cores this process may use, and who else uses them."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    load = os.getloadavg()[0]
    text = f"{count} usable, load {load:.1f}"
    if load > 1.5 * count:
        return Check("cores", "warning", text, "stop other work, or give a budget in cpu-h instead of wall time")
    return Check("cores", "ok", text)


def check_memory() -> Check:
    """Return the memory that is free."""
    import psutil

    memory = psutil.virtual_memory()
    text = f"{_gigabytes(memory.available)} free of {_gigabytes(memory.total)}"
    if memory.available < _LEAST_MEMORY_BYTES:
        return Check("memory", "warning", text, "close other programs, or search with --workers 1")
    return Check("memory", "ok", text)


def check_disk(name: str, folder: Path) -> Check:
    """Return the room where folder is or would be, and whether it may be written."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(place, os.W_OK):
        return Check(name, "problem", f"{folder}: may not be written", f"choose another folder, or chmod u+w {place}")
    free = shutil.disk_usage(place).free
    text = f"{folder}: {_gigabytes(free)} free"
    if free < _LEAST_DISK_BYTES:
        return Check(name, "warning", text, "delete old runs, or search in a folder on another disk")
    return Check(name, "ok", text)


def check_store(path: Path) -> Check:
    """Return the state of MLflow's SQLite store; a damaged or half-made one would stop the record of runs."""
    if not path.exists():
        return Check("mlflow", "ok", f"no store in {path.parent} yet; the first search makes {path.name}")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
            schema = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        return Check("mlflow", "problem", f"{path}: {error}", f"move {path.name} away; automl sync RUN fills a new one")
    if schema is None:
        return Check(
            "mlflow", "problem", f"{path}: has no schema version", f"move {path.name} away, then automl sync RUN"
        )
    return Check("mlflow", "ok", f"{path}: {runs} runs")


def check_gpus() -> Check:
    """Return the GPUs torch sees, asked in a process of its own that holds no device afterwards."""
    if not _version("torch"):
        return Check("gpus", "warning", "unknown without torch", "pip install torch")
    try:
        asked = subprocess.run(
            [sys.executable, "-c", _GPU_QUESTION], capture_output=True, text=True, timeout=_GPU_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return Check("gpus", "problem", f"torch did not answer in {_GPU_SECONDS} s", "run nvidia-smi; reset the driver")
    if asked.returncode != 0:
        said = asked.stderr.strip().splitlines() or [f"exit code {asked.returncode}"]
        return Check("gpus", "problem", f"torch: {said[-1]}", "reinstall torch")
    found = json.loads(asked.stdout)
    if not found:
        return Check("gpus", "ok", "none that torch can use; searches run on the cores")
    return Check("gpus", "ok", ", ".join(f"{name} {_gigabytes(memory)}" for name, memory in found))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _gigabytes(count: float) -> str:
    return f"{count / 2**30:.1f} GiB"
