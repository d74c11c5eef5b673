"""Commands, exit codes, and where errors become one line."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from automl.cli.main import COMMANDS, main, parser_of
from automl.errors import DataError, MachineError, SearchFailed, UserError
from automl.serving.errors import InputError

HEAVY = (
    "numpy",
    "torch",
    "ray",
    "mlflow",
    "sklearn",
    "optuna",
    "pandas",
    "rich",
    "onnx",
    "onnxruntime",
    "automl.core.space",
)

SLOW_TO_LOAD = ("dataclasses", "inspect", "logging", "difflib")
ROOT = Path(__file__).parents[2]


def command_that(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Install a command `fail PATH` that raises."""
    module = ModuleType("automl.cli.fail", "Fail.")
    module.EXAMPLES = "automl fail"  # type: ignore[attr-defined]

    def run(args: object) -> int:
        raise error

    module.run = run  # type: ignore[attr-defined]
    module.add_arguments = lambda parser: parser.add_argument("path", nargs="?", default="")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "automl.cli.fail", module)
    monkeypatch.setitem(COMMANDS, "fail", "fails")


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]], ids=["nothing", "--help", "-h"])
def test_help_lists_every_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words, started=0.0) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("command", list(COMMANDS))
def test_each_command_has_help_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"], started=0.0) == 0
    assert f"examples:\n  automl {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", list(COMMANDS))
def test_each_argument_of_a_command_is_explained(command: str) -> None:
    assert all(action.help for action in parser_of(command)._actions)


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"], started=0.0) == 0
    assert capsys.readouterr().out.startswith("automl 0.")


def test_a_misspelt_command_is_a_mistake_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serch"], started=0.0) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("error: 'serch' is not a command of automl. Did you mean search? Known: search,")
    assert shown.out == ""


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UserError("--x: too small. Got 1."), 2, "error: --x: too small. Got 1.\n"),
        (DataError("empty"), 2, "error: empty\n"),
        (InputError("no image"), 2, "error: no image\n"),
        (SearchFailed("none of 3 trials\n  cnn  3 × oom"), 3, "error: none of 3 trials\n  cnn  3 × oom\n"),
        (MachineError("disk full"), 4, "error: disk full\n"),
        (OSError(errno.ENOSPC, "No space left on device", "/var/x"), 4, "error: /var/x: No space left on device.\n"),
        (PermissionError(errno.EACCES, "Permission denied", "/other/x"), 4, "error: /other/x: Permission denied.\n"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/x"), 2, "error: /data/x: Permission denied.\n"),
        (FileNotFoundError(errno.ENOENT, "No such file", "/data"), 2, "error: /data: No such file.\n"),
        (OSError(errno.EIO, "Input/output error"), 4, "error: Input/output error.\n"),
        (KeyboardInterrupt(), 130, "error: interrupted.\n"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)  # fmt: skip
def test_an_error_becomes_one_text_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, text: str
) -> None:
    command_that(monkeypatch, error)
    assert main(["fail", "/data"], started=0.0) == code
    assert capsys.readouterr().err == text


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    command_that(monkeypatch, ZeroDivisionError("ours"))
    with pytest.raises(ZeroDivisionError, match="ours"):
        main(["fail"], started=0.0)


def test_the_start_of_the_program_reaches_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    command_that(monkeypatch, UserError("unused"))
    seen: list[float] = []
    monkeypatch.setattr(sys.modules["automl.cli.fail"], "run", lambda args: seen.append(args.started) or 0)
    assert main(["fail"], started=12.5) == 0
    assert seen == [12.5]


@pytest.mark.parametrize(
    "words",
    [["--help"], ["search", "--help"], ["search", "--task", "x", "--budget", "1parsec"], ["list", "--help"], ["serch"]],
    ids=" ".join,
)
def test_help_and_mistakes_import_nothing_heavy(words: list[str]) -> None:
    code = f"import sys; from automl.cli.main import main; main({words!r}, started=0.0); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("words", [["--help"], ["search", "--help"], ["ui", "--help"]], ids=" ".join)
def test_help_does_not_load_what_it_does_not_need(words: list[str]) -> None:
    code = f"import sys; from automl.cli.main import main; main({words!r}, started=0.0); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not set(SLOW_TO_LOAD) & set(done.stdout.splitlines()[-1].split())


def test_a_mistake_shows_no_traceback_and_exits_with_2(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "automl", "search", "--task", "image-clf", "--budget", "soon"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("error: --budget 'soon': 'soon' is not a unit.")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_leaves_early_is_no_error() -> None:
    words = [sys.executable, "-m", "automl", "search", "--help"]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(words, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert "Traceback" not in done.stderr
