from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "ray", "mlflow", "sklearn", "optuna", "pandas", "onnx", "onnxruntime", "rich", "lightgbm", "scipy")
HELP_MILLISECONDS = 60.0
LENIENCE = 4.0
"""Busy machines: the bench shows the figure itself."""

WHICH_ARE_LOADED = "import sys; print([m for m in %r if m in sys.modules])"


def output(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()[-1]


def cpu_milliseconds(*arguments: str) -> float:
    """CPU time of one interpreter with these arguments."""
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return 1000 * (usage.ru_utime + usage.ru_stime)


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert output("import automl; " + WHICH_ARE_LOADED % (HEAVY,)) == "[]"


@pytest.mark.parametrize("command", ["--help", "search --help", "--version"])
def test_help_loads_nothing_heavy(command: str) -> None:
    run = f"import contextlib, sys; sys.argv = ['automl', *{command.split()!r}]\n"
    run += "from automl.__main__ import main\nwith contextlib.suppress(SystemExit): main()\n"
    assert output(run + WHICH_ARE_LOADED % ((*HEAVY, "numpy"),)) == "[]"


def test_help_costs_little_more_than_the_interpreter() -> None:
    bare, ours = [], []
    for _ in range(5):
        bare.append(cpu_milliseconds("-c", "pass"))
        ours.append(cpu_milliseconds("-m", "automl", "--help"))
    assert min(ours) - min(bare) <= LENIENCE * HELP_MILLISECONDS


def test_every_public_name_is_there() -> None:
    import automl

    assert {"SearchResult", "__version__", "load_model", "resume", "search"} <= set(automl.__all__)
    assert list(automl.__all__) == sorted(automl.__all__)
    assert [name for name in automl.__all__ if getattr(automl, name) is None] == []


def test_an_unknown_public_name_is_named() -> None:
    import automl

    with pytest.raises(AttributeError, match=r"no attribute 'serach'.*search"):
        _ = automl.serach


def test_a_cpu_build_of_torch_brings_no_cuda_packages() -> None:
    from importlib.metadata import distributions, version

    installed = [d.metadata["Name"].lower() for d in distributions()]
    wanted = version("torch").endswith("+cpu")
    assert not wanted or [n for n in installed if n.startswith(("nvidia-", "cuda-"))] == []


def test_the_typing_marker_is_there() -> None:
    import automl

    assert (Path(automl.__file__).parent / "py.typed").exists()
