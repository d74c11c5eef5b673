"""The arguments of `automl search` become one request, or one line of error."""

from __future__ import annotations

import pytest

from automl.cli.main import parser_of
from automl.cli.search import build_request
from automl.core.request import SearchRequest
from automl.errors import BudgetError, UserError


def request(*words: str) -> SearchRequest:
    return build_request(parser_of("search").read(words))


def test_a_task_alone_gives_the_defaults() -> None:
    assert request("--task", "image-clf") == SearchRequest(task="image-clf")


@pytest.mark.parametrize("words", [("flowers",), ("--data", "flowers")], ids=["positional", "flag"])
def test_data_comes_in_either_way(words: tuple[str, ...]) -> None:
    assert request(*words, "--task", "image-clf").data == "flowers"


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        (("--test", "t"), "test", "t"),
        (("--budget", "8gpu-h,2h"), "budget", "8gpu-h,2h"),
        (("--metric", "log_loss"), "metric", "log_loss"),
        (("--folds", "3"), "folds", 3),
        (("--seed", "7"), "seed", 7),
        (("--workers", "2"), "workers", 2),
        (("--gpus", "0"), "gpus", 0),
        (("--engine", "local"), "engine", "local"),
        (("--space", "a.toml", "--space", "b"), "space", ("a.toml", "b")),
        (("--include", "cnn,linear"), "include", ("cnn", "linear")),
        (("--exclude", "cnn"), "exclude", ("cnn",)),
        (("--deploy", "refit"), "deploy", "refit"),
        (("--max-latency-ms", "5"), "max_latency_ms", 5.0),
        (("--name", "n"), "name", "n"),
        (("--out", "o"), "out", "o"),
        (("--tracking-uri", "none"), "tracking_uri", "none"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_each_flag_reaches_its_field(words: tuple[str, ...], field: str, value: object) -> None:
    assert getattr(request("--task", "image-clf", *words), field) == value


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a", "--data", "b"), "--data 'b': the data is given once. Got 'a' as well"),
        (("--metric", "acuracy"), r"--metric 'acuracy' is not known\. Did you mean accuracy\?"),
        (("--include", "resent"), r"--include 'resent' is not known\. Did you mean resnet\?"),
        (("--exclude", "resent"), r"--exclude 'resent' is not known\. Did you mean resnet\?"),
        (("--include", "cnn", "--exclude", "cnn"), "--exclude 'cnn': it is included too"),
        (("--folds", "1"), "--folds: needs a whole number of 2 or more. Got 1"),
        (("--seed", "-1"), "--seed: needs a whole number of 0 or more. Got -1"),
        (("--gpus", "-1"), "--gpus: needs a whole number of 0 or more. Got -1"),
        (("--max-latency-ms", "0"), "--max-latency-ms: needs a number above 0. Got 0"),
        (("--deploy", "bags"), "--deploy: 'bags' is not known. Did you mean bag"),
        (("--engine", "slurm"), "--engine 'slurm' is not known. Known: auto, local, inprocess"),
        (("--engine", "ray"), "--engine 'ray' is not known. Known: auto, local, inprocess"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_mistake_names_flag_and_value(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        request("--task", "image-clf", *words)


COLUMNS = [
    (("--target", "price"), "target", "price"),
    (("--drop", "id,name"), "drop", ("id", "name")),
    (("--sample-weight", "w"), "sample_weight", "w"),
    (("--positive", "-1"), "positive", "-1"),
    (("--group", "house"), "group", "house"),
    (("--split-time", "sold at"), "split_time", "sold at"),
]


@pytest.mark.parametrize(("words", "field", "value"), COLUMNS, ids=[words[0] for words, _, _ in COLUMNS])
def test_each_flag_about_columns_reaches_its_field(words: tuple[str, ...], field: str, value: object) -> None:
    assert getattr(request("--task", "tabular-clf", *words), field) == value


@pytest.mark.parametrize(("words", "field", "value"), COLUMNS, ids=[words[0] for words, _, _ in COLUMNS])
def test_flags_about_columns_are_for_tables(words: tuple[str, ...], field: str, value: object) -> None:
    with pytest.raises(UserError, match=f"{words[0]} '{words[1]}': it is for tables.*, and image-clf is about images"):
        request("--task", "image-clf", *words)


@pytest.mark.parametrize("flag", ["--target", "--sample-weight", "--positive", "--group", "--split-time"])
def test_a_column_needs_a_name(flag: str) -> None:
    with pytest.raises(UserError, match=f"{flag}: needs a name. Got ''"):
        request("--task", "tabular-clf", flag, "")


def test_without_a_task_the_tasks_are_listed() -> None:
    with pytest.raises(UserError, match=r"--task is missing. .* Known: image-clf, tabular-clf, tabular-reg"):
        request("data.csv")


def test_a_misspelt_task_gets_a_suggestion() -> None:
    with pytest.raises(UserError, match=r"--task 'imgae-clf' is not known\. Did you mean image-clf\?"):
        request("--task", "imgae-clf")


@pytest.mark.parametrize("budget", ["10", "-2min", "0h", "3parsec", "", "2min,3min"])
def test_a_malformed_budget_is_refused_before_anything_is_loaded(budget: str) -> None:
    with pytest.raises(BudgetError, match="--budget"):
        request("--task", "image-clf", "--budget", budget)


@pytest.mark.parametrize("flag", ["--storage", "--gpu-fraction"])
def test_flags_of_tasks_that_do_not_exist_yet_are_unknown(flag: str) -> None:
    with pytest.raises(UserError, match=f"{flag}: automl search has no such flag"):
        request("--task", "image-clf", flag, "x")
