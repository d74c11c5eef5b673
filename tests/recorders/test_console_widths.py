"""The live picture at the widths people have, and with names that were made to break it."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from automl.core.data import Finding
from automl.core.events import PhaseChanged, Planned, RunEnded, Warned
from automl.core.job import Report
from automl.core.leaderboard import Row
from automl.core.space import Configuration
from automl.recorders.console_view import bar, interval, scale_of, view
from automl.recorders.console_words import ASCII, UNICODE, Glyphs
from automl.testing.history_builder import HistoryBuilder, run_started

WIDTHS = pytest.mark.parametrize("width", [60, 80, 120])
GLYPHS = pytest.mark.parametrize("glyphs", [ASCII, UNICODE], ids=["ascii", "unicode"])
CNN = Configuration("cnn", {"lr": 0.1})
LONG = "a very long sentence about the data that will not fit on any line of a terminal " * 3


def crowded(name: str = "flowers", message: str = LONG) -> HistoryBuilder:
    """A run with more of everything than is shown."""
    builder = HistoryBuilder(folds=3)
    started = run_started(folds=3)
    findings = tuple(Finding(f"f{i}", "info", message) for i in range(6))
    builder.add(replace(started, findings=findings, spec=replace(started.spec, name=name)))
    builder.add(Planned({"cnn": 9}, {}, reserve_seconds=9.0))
    for place in range(9):
        builder.full(Configuration(f"candidate-{place}", {}), [0.9 - place / 100] * 3)
    for place in range(11):
        builder.start(Configuration(f"running-{place}", {}))
    for place in range(5):
        builder.add(Warned(f"source {place}", message, 1.0))
    return builder


def drawn(builder: HistoryBuilder, *, width: int = 80, now: float = 75.0, glyphs: Glyphs = UNICODE,
          reports: dict[tuple[int, int, int], Report] | None = None) -> str:  # fmt: skip
    out = io.StringIO()
    picture = view(builder.history, reports or {}, now, width=width, glyphs=glyphs)
    Console(file=out, width=width, color_system=None).print(picture)
    return out.getvalue()


@WIDTHS
@GLYPHS
def test_no_line_is_wider_than_the_terminal(width: int, glyphs: Glyphs) -> None:
    assert max(map(len, drawn(crowded(), width=width, glyphs=glyphs).splitlines())) <= width


@WIDTHS
def test_only_plain_letters_where_the_terminal_has_no_others(width: int) -> None:
    assert drawn(crowded(message="plain"), width=width, glyphs=ASCII).isascii()


@WIDTHS
def test_what_matters_is_there_at_every_width(width: int) -> None:
    shown = drawn(crowded(), width=width)
    assert all(
        words in shown for words in ("automl", "flowers", "budget", "1:15 of 10:00", "leaderboard", "candidate-0")
    )


@pytest.mark.parametrize(
    ("words", "count"),
    [("candidate-", 6), ("running-", 8), ("and 3 more", 1), ("and 2 more", 1), ("source", 3), ("#", 14)],
)
def test_of_many_things_the_first_are_shown_and_the_rest_is_counted(words: str, count: int) -> None:
    assert drawn(crowded(message="m"), width=120).count(words) == count


def test_the_latest_warnings_are_shown() -> None:
    shown = drawn(crowded(message="m"), width=120)
    assert [f"source {i}" in shown for i in range(5)] == [False, False, True, True, True]


@pytest.mark.parametrize(
    "name",
    ["[red]flowers[/red]", "[/]", "a\\[b", "日本の花", "flo\twers", "{braces}", "%s", ":smile:", "[link=x]y[/link]"],
)
def test_a_name_is_shown_as_it_is_whatever_markup_it_looks_like(name: str) -> None:
    shown = drawn(crowded(name=name), width=120)
    assert name.split("\t")[0] in shown


@pytest.mark.parametrize("message", ["[bold]x[/bold]", "[/nonsense]", "ends with a backslash \\", "tab\tbed"])
def test_a_message_is_no_markup(message: str) -> None:
    assert message.split("\t")[0] in drawn(crowded(message=message), width=120)


@pytest.mark.parametrize("cells", [1, 8, 20])
@pytest.mark.parametrize("share", [-1.0, 0.0, 0.01, 0.5, 0.99, 1.0, 7.0])
def test_a_bar_has_its_length_whatever_the_share(cells: int, share: float) -> None:
    assert len(bar(share, cells, ASCII).plain) == cells


@pytest.mark.parametrize(
    ("share", "plain"), [(0.0, "----"), (0.25, "=---"), (0.5, "==--"), (1.0, "===="), (2.0, "====")]
)
def test_a_bar_grows_with_the_share(share: float, plain: str) -> None:
    assert bar(share, 4, ASCII).plain == plain


def row(score: float, se: float | None = 0.01, rank: int = 1) -> Row:
    return Row(rank, 0, "cnn", score, se, 1.0, 1.0, 1.0, {}, "full")


@pytest.mark.parametrize("score", [0.0, 0.25, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("se", [None, 0.0, 0.01, 0.1, 5.0])
@GLYPHS
def test_an_interval_is_as_wide_as_its_scale_and_has_one_point(score: float, se: float | None, glyphs: Glyphs) -> None:
    plain = interval(row(score, se), 0.0, 1.0, glyphs).plain
    assert (len(plain), plain.count(glyphs.point)) == (22, 1)


@pytest.mark.parametrize(("score", "mark"), [(-0.1, "<"), (1.1, ">")])
def test_a_score_off_the_scale_is_pointed_at(score: float, mark: str) -> None:
    assert interval(row(score), 0.0, 1.0, ASCII).plain.strip() == mark


@pytest.mark.parametrize(
    ("scores", "low", "high"),
    [
        ([0.9], 0.9, 0.9),
        ([0.9, 0.8], 0.8, 0.9),
        ([0.9, 0.88, 0.86, 0.1], 0.86, 0.9),
        ([0.1, 0.2, 5.0], 0.1, 0.2),
        ([0.5, 0.5, 0.5], 0.5, 0.5),
    ],
    ids=str,
)
def test_a_scale_holds_the_best_and_leaves_out_what_is_far(scores: list[float], low: float, high: float) -> None:
    assert scale_of([row(s, None) for s in scores]) == pytest.approx((low, high))


@pytest.mark.parametrize(
    ("step", "score", "words"),
    [(0, None, "fold 1 · 0/4"), (2, 0.5, "0.5000"), (4, 0.25, "0.2500"), (9, 0.125, "0.1250")],
)
def test_a_running_job_shows_its_last_report(step: int, score: float | None, words: str) -> None:
    builder = HistoryBuilder()
    builder.start(CNN, rung=0)
    job = next(iter(builder.history.running))
    reports = {(job, 0, 0): Report(job, 0, 0, step, score)}
    assert words.replace("0/4", "0/1") in drawn(builder, reports=reports)


@pytest.mark.parametrize("status", ["done", "interrupted", "failed"])
def test_the_end_takes_the_place_of_the_time_left(status: str) -> None:
    builder = crowded()
    builder.add(RunEnded(status, "the reason", 90.0))
    shown = drawn(builder, width=120)
    assert f"{status} after 1:30: the reason" in shown
    assert " left" not in shown


def test_finishing_is_said_with_its_reason_until_the_end() -> None:
    builder = HistoryBuilder()
    builder.add(PhaseChanged("finalising", "the budget is spent", 60.0))
    assert "finishing  the budget is spent" in drawn(builder)
    builder.add(RunEnded("done", "the budget is spent", 70.0))
    assert "finishing" not in drawn(builder)


def test_before_the_first_event_it_says_what_it_does() -> None:
    out = io.StringIO()
    from automl.core.history import History

    Console(file=out, width=60).print(view(History(), {}, 0.0))
    assert out.getvalue() == "looking at the data\n"
