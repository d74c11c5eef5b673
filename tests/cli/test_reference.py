"""The reference names every command and every flag, and none that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from automl.cli.main import COMMANDS, parser_of

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")


def section(command: str) -> str:
    return PAGE.split(f"\n## {command}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_flag_is_in_the_reference(command: str) -> None:
    flags = [flag for flag in parser_of(command)._option_string_actions if flag.startswith("--") and flag != "--help"]
    assert [flag for flag in flags if flag not in section(command)] == []


@pytest.mark.parametrize("command", list(COMMANDS))
def test_the_reference_names_no_other_flag(command: str) -> None:
    assert set(re.findall(r"--[a-z][a-z0-9-]+", section(command))) <= set(parser_of(command)._option_string_actions)


@pytest.mark.parametrize(("command", "summary"), list(COMMANDS.items()), ids=list(COMMANDS))
def test_the_reference_says_what_the_help_says(command: str, summary: str) -> None:
    assert f"| `{command}` | {summary} |" in PAGE
