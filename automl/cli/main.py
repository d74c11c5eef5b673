"""The front door: which command, where errors end, and the exit codes.

0 done · 2 the user's mistake · 3 no trial succeeded · 4 the machine · 130 interrupted.
What `automl --help` does not need, argparse included, is imported where it is used.
"""

from __future__ import annotations

import errno
import os
import sys

from automl import __version__
from automl.errors import AutoMLError, MachineError, SearchFailed, UserError
from automl.serving.errors import ServingError

TYPE_CHECKING = False  # as in typing, which loads slowly
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

    from automl.cli.parser import CommandParser

DONE, MISTAKE, NO_TRIAL, MACHINE, INTERRUPTED = 0, 2, 3, 4, 130

COMMANDS = {
    "search": "find the best model for a data set within a budget",
    "resume": "go on with a run that was stopped or killed",
    "leaderboard": "show the ranked trials of a run",
    "predict": "predict a file or folder with a model",
    "evaluate": "score a model on labelled data",
    "export": "write a model to a folder",
    "report": "write the page about a run again",
    "sync": "bring MLflow up to date with a run",
    "ui": "open MLflow's pages on this machine",
    "list": "list tasks, candidates, spaces or metrics",
    "doctor": "check this machine and its packages",
}
EXAMPLES = """
automl search --task image-clf --budget 2min
automl search flowers/ --task image-clf --budget 1gpu-h
automl predict runs/flowers new/ -o labels.csv
"""


def main(arguments: Sequence[str], *, started: float) -> int:
    """Run one command and return the exit code; the only place where errors become text.

    Args:
        arguments: the words after the program's name.
        started: the monotonic second at which the program began.
    """
    given: dict[str, object] = {}
    try:
        return _dispatch(arguments, given, started)
    except UserError as error:
        return _tell(str(error), MISTAKE)
    except SearchFailed as error:
        return _tell(str(error), NO_TRIAL, keep="\n")
    except MachineError as error:
        return _tell(str(error), MACHINE)
    except (AutoMLError, ServingError) as error:
        return _tell(str(error), MISTAKE)
    except BrokenPipeError:  # the reader has seen enough, as in `automl list tasks | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        return _tell(_os_message(error), MISTAKE if _is_users(error, given) else MACHINE)
    except KeyboardInterrupt:
        return _tell("interrupted.", INTERRUPTED)


def _dispatch(arguments: Sequence[str], given: dict[str, object], started: float) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stdout.write(_overview())
        return DONE
    if arguments[0] in ("-V", "--version"):
        sys.stdout.write(f"automl {__version__}\n")
        return DONE
    command = arguments[0]
    if command not in COMMANDS:
        from automl.cli.parser import suggestion

        hint = suggestion(command, COMMANDS)
        raise UserError(f"{command!r} is not a command of automl.{hint} Known: {', '.join(COMMANDS)}.")
    if any(word in ("-h", "--help") for word in _before_dashes(arguments[1:])):
        parser_of(command).print_help(sys.stdout)
        return DONE
    read = parser_of(command).read(arguments[1:])
    read.started = started
    given.update(vars(read))
    _module("logs").log_to_stderr()
    code: int = _module(command).run(read)
    sys.stdout.flush()
    return code


def parser_of(command: str) -> CommandParser:
    """Return the parser of a command; imports that command's module and nothing heavy."""
    from automl.cli.parser import CommandParser

    module = _module(command)
    parser = CommandParser(f"automl {command}", str(module.__doc__), module.EXAMPLES)
    module.add_arguments(parser)
    return parser


def _module(command: str) -> ModuleType:
    from importlib import import_module

    return import_module(f"automl.cli.{command}")


def _overview() -> str:
    width = max(map(len, COMMANDS))
    listed = "".join(f"  {name:<{width}}  {summary}\n" for name, summary in COMMANDS.items())
    examples = "".join(f"  {line}\n" for line in EXAMPLES.strip().splitlines())
    return (
        "usage: automl COMMAND ...\n\nData and a budget in, the best model they can buy out.\n\n"
        f"commands:\n{listed}\nautoml COMMAND --help tells more.\n\n"
        "options:\n  -h, --help     show this help message and exit\n  -V, --version  show the version and leave\n\n"
        f"examples:\n{examples}"
    )


def _before_dashes(words: Sequence[str]) -> Sequence[str]:
    return words[: words.index("--")] if "--" in words else words


def _tell(message: str, code: int, *, keep: str = "") -> int:
    """Write one line, whatever the names in it hold; a table of reasons keeps its line ends."""
    line = "".join(c if c.isprintable() or c in keep else " " for c in message)
    try:
        sys.stdout.flush()
        sys.stderr.write(f"error: {line}\n")
        sys.stderr.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    return code


def _os_message(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}."


def _is_users(error: OSError, given: Mapping[str, object]) -> bool:
    """Whether the error is about a path the user named, so that another path or permission mends it."""
    if error.errno == errno.ENAMETOOLONG:
        return True
    if not isinstance(
        error, PermissionError | FileNotFoundError | FileExistsError | NotADirectoryError | IsADirectoryError
    ):
        return False
    if not isinstance(error.filename, str | os.PathLike):
        return False
    from pathlib import Path

    where = Path(os.fsdecode(error.filename)).absolute()
    named = [Path(value).absolute() for value in given.values() if isinstance(value, str) and value]
    return any(path in (where, where.parent, *where.parents) or where in path.parents for path in named)
