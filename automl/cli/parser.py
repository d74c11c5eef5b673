"""argparse with our error style: one line, the flag, the value, and what was probably meant."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

from automl.errors import UserError

_MISSING = re.compile(r"the following arguments are required: (.+)")
_MINUS_AMOUNT = re.compile(r"-\d")


class CommandParser(argparse.ArgumentParser):
    """The parser of one command. Raises `UserError` where argparse would print its usage and leave."""

    def __init__(self, prog: str, description: str, examples: str = "") -> None:
        epilog = f"examples:\n{_indent(examples)}" if examples else None
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse arguments; unknown flags are found before missing ones, so that a slip of the pen is named.

        Raises:
            UserError: an unknown, missing or malformed argument.
        """
        flags = self._option_string_actions
        joined: list[str] = []
        for position, word in enumerate(arguments):
            if word == "--":
                joined.extend(arguments[position:])
                break
            if word.startswith("--") and word.partition("=")[0] not in flags:
                name = word.partition("=")[0]
                raise UserError(
                    f"{name}: {self.prog} has no such flag.{suggestion(name, flags)} See {self.prog} --help."
                )
            if joined and _MINUS_AMOUNT.match(word) and joined[-1] in flags and flags[joined[-1]].nargs is None:
                joined[-1] += f"={word}"
            else:
                joined.append(word)
        known, rest = self.parse_known_args(joined)
        if rest:
            raise UserError(f"{rest[0]}: {self.prog} does not know what to do with it. See {self.prog} --help.")
        return known

    def error(self, message: str) -> NoReturn:
        """Raise argparse's message in our words.

        Raises:
            UserError: always.
        """
        missing = _MISSING.search(message)
        if missing:
            raise UserError(f"{missing[1].split(', ')[0]} is missing. See {self.prog} --help.")
        text = message.removeprefix("argument ").rstrip(".")
        raise UserError(f"{text}. See {self.prog} --help.")


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return ` Did you mean X?` for the nearest known name, or nothing.

    >>> suggestion("serch", ["search", "resume"])
    ' Did you mean search?'
    """
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {near[0]}?" if near else ""


def check_known(flag: str, value: str, known: Sequence[str]) -> str:
    """Return value if it is one of known.

    Raises:
        UserError: it is not; names the nearest and lists all.
    """
    if value not in known:
        raise UserError(f"{flag} {value!r} is not known.{suggestion(value, known)} Known: {', '.join(known)}.")
    return value


def one_of(*known: str) -> Callable[[str], str]:
    """Return an argument type that admits only the known words."""

    def _read(text: str) -> str:
        if text not in known:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not known.{suggestion(text, known)} Known: {', '.join(known)}."
            )
        return text

    return _read


def whole(least: int) -> Callable[[str], int]:
    """Return an argument type for whole numbers of at least least."""

    def _read(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d{1,18}", text) or int(text) < least:
            raise argparse.ArgumentTypeError(f"needs a whole number of {least} or more. Got {text}")
        return int(text)

    return _read


def not_empty(text: str) -> str:
    """Return text unless it is empty, as an unset shell variable is.

    Raises:
        ArgumentTypeError: it is empty.
    """
    if not text:
        raise argparse.ArgumentTypeError(f"needs a path. Got {text!r}")
    return text


def column(text: str) -> str:
    """Return text unless it is empty.

    Raises:
        ArgumentTypeError: it is empty.
    """
    if not text:
        raise argparse.ArgumentTypeError(f"needs a name. Got {text!r}")
    return text


def above_zero(text: str) -> float:
    """Return text as a finite number above zero.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 0.0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"needs a number above 0. Got {text}")
    return number


def names(text: str) -> tuple[str, ...]:
    """Return the names of a comma-separated list.

    Raises:
        ArgumentTypeError: an empty name.

    >>> names("cnn, resnet")
    ('cnn', 'resnet')
    """
    parts = tuple(part.strip() for part in text.split(","))
    if not all(parts):
        raise argparse.ArgumentTypeError(f"needs names joined by commas. Got {text!r}")
    return parts


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines())
