"""Mistakes on the command line are named with flag, value and what was meant."""

from __future__ import annotations

import pytest

from automl.cli.parser import CommandParser, above_zero, check_known, names, one_of, suggestion, whole
from automl.errors import UserError


@pytest.fixture
def parser() -> CommandParser:
    made = CommandParser("automl try", "Try things.", "automl try it")
    made.add_argument("data", nargs="?", default="")
    made.add_argument("--budget", default="1min")
    made.add_argument("--task", required=True)
    made.add_argument("--workers", type=whole(1))
    made.add_argument("--engine", type=one_of("auto", "local"), default="auto")
    made.add_argument("--include", type=names, default=())
    made.add_argument("--latency", type=above_zero)
    made.add_argument("--json", action="store_true")
    return made


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--budgte", "3"], r"--budgte: automl try has no such flag\. Did you mean --budget\?"),
        (["--budgte=3"], r"--budgte: automl try has no such flag\. Did you mean --budget\?"),
        (["--bud", "3", "--task", "t"], "--bud: automl try has no such flag"),
        ([], "--task is missing. See automl try --help"),
        (["--task"], "--task: expected one argument"),
        (["--task", "t", "a", "b"], "b: automl try does not know what to do with it"),
        (["--task", "t", "-x"], "-x: automl try does not know what to do with it"),
        (["--task", "t", "--workers", "0"], "--workers: needs a whole number of 1 or more. Got 0"),
        (["--task", "t", "--workers", "-2"], "--workers: needs a whole number of 1 or more. Got -2"),
        (["--task", "t", "--workers", "2.5"], "--workers: needs a whole number of 1 or more. Got 2.5"),
        (["--task", "t", "--workers", "9" * 30], "--workers: needs a whole number"),
        (["--task", "t", "--engine", "lcoal"], "'lcoal' is not known. Did you mean local. Known: auto, local"),
        (["--task", "t", "--include", "a,,b"], "--include: needs names joined by commas. Got 'a,,b'"),
        (["--task", "t", "--latency", "nan"], "--latency: needs a number above 0. Got nan"),
        (["--task", "t", "--latency", "soon"], "--latency: needs a number above 0. Got soon"),
        (["--task", "t", "--json=yes"], "--json: ignored explicit argument 'yes'"),
    ],
)
def test_a_mistake_is_named(parser: CommandParser, words: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        parser.read(words)


def test_a_negative_amount_is_the_value_of_its_flag(parser: CommandParser) -> None:
    assert parser.read(["--task", "t", "--budget", "-5min"]).budget == "-5min"


def test_words_after_two_dashes_are_no_flags(parser: CommandParser) -> None:
    assert parser.read(["--task", "t", "--", "--odd-name"]).data == "--odd-name"


def test_values_arrive_with_their_types(parser: CommandParser) -> None:
    args = parser.read(["d", "--task", "t", "--workers", "3", "--include", "cnn, resnet", "--latency", "1e-1"])
    assert (args.data, args.workers, args.include, args.latency) == ("d", 3, ("cnn", "resnet"), 0.1)


def test_a_mistake_is_one_line(parser: CommandParser) -> None:
    with pytest.raises(UserError, match="no such flag") as caught:
        parser.read(["--tsak", "x"])
    assert "\n" not in str(caught.value)


def test_help_ends_with_the_examples(parser: CommandParser) -> None:
    assert parser.format_help().rstrip().endswith("examples:\n  automl try it")


def test_a_name_far_from_all_known_gets_no_suggestion() -> None:
    assert suggestion("zebra", ["search", "resume"]) == ""


def test_an_unknown_name_lists_what_is_known() -> None:
    with pytest.raises(UserError, match=r"--task 'imgae' is not known\. Did you mean image\? Known: image, text\."):
        check_known("--task", "imgae", ["image", "text"])


def test_a_known_name_is_returned() -> None:
    assert check_known("--task", "image", ["image"]) == "image"
