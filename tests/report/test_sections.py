"""Each section of the page from a run that was made for it; what is hostile stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from automl.core.data import Finding
from automl.core.events import (
    Decided,
    PhaseChanged,
    Planned,
    Registered,
    Resumed,
    RunEnded,
    TrialStopped,
    Warned,
    Winner,
)
from automl.core.events import TestScore as ScoreOnTest
from automl.core.job import MemberResult
from automl.core.space import Configuration
from automl.report import sections
from automl.report.build import OutOfFold, ReportData, build
from automl.report.render import render
from automl.testing.history_builder import HistoryBuilder, run_started

if TYPE_CHECKING:
    from .conftest import FinishedRun

CNN, LINEAR = Configuration("cnn", {"lr": 0.1}), Configuration("linear", {"C": 1.0})
WINNER = Winner("single", "cnn", {0: 1.0}, 0.9, 0.01, 0.89, 0.85, 0.93, None, "bootstrap")
EVIL = '"><script>alert(1)</script><img src=x onerror=y>&amp;'
SHOWN_EVIL = "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=y&gt;&amp;amp;"
ALL = [
    sections.header, sections.winner, sections.how_to_use, sections.over_time, sections.candidates,
    sections.leaderboard, sections.curves, sections.confusion, sections.parameters, sections.data_facts,
    sections.spend, sections.workers, sections.others, sections.spaces, sections.set_up,
]  # fmt: skip


def builder(**changes: object) -> HistoryBuilder:
    made = HistoryBuilder()
    made.add(replace(run_started(), **changes))
    return made


def data(made: HistoryBuilder, run: str = "runs/x") -> ReportData:
    return build(made.history, run=run)


def decided(winner: Winner = WINNER, **more: object) -> ReportData:
    made = builder()
    made.full(CNN, [0.9, 0.9])
    made.full(LINEAR, [0.8, 0.8])
    made.add(Decided(winner, "artifacts/0001", "ab" * 32, more.pop("test", None), 9.0))  # type: ignore[arg-type]
    for event in more.values():
        made.add(event)  # type: ignore[arg-type]
    return data(made)


@pytest.mark.parametrize("section", ALL, ids=lambda s: s.__name__)
def test_a_run_that_just_began_has_every_section_or_none(section: object) -> None:
    drawn = section(data(builder()))  # type: ignore[operator]
    assert drawn == "" or drawn.startswith("<")


@pytest.mark.parametrize("section", ALL, ids=lambda s: s.__name__)
def test_a_finished_run_opens_and_closes_as_many_elements(section: object, finished: FinishedRun) -> None:
    drawn = section(build(finished.history))  # type: ignore[operator]
    for tag in ("section", "table", "tr", "td", "dl", "dd", "div", "svg", "details", "pre"):
        assert len(re.findall(rf"<{tag}[ >]", drawn)) == drawn.count(f"</{tag}>"), tag


@pytest.mark.parametrize(
    ("section", "change"),
    [
        (sections.header, {"name": EVIL}),
        (sections.data_facts, {"findings": (Finding("x", "warning", EVIL),)}),
        (sections.data_facts, {"spec": replace(run_started().spec, classes=(EVIL, "b"))}),
        (sections.spaces, {"spaces": {EVIL: "x"}, "space_origins": {EVIL: EVIL}}),
        (sections.set_up, {"versions": {EVIL: EVIL}}),
        (sections.set_up, {"request": replace(run_started().request, name=EVIL)}),
        (sections.set_up, {"request": replace(run_started().request, include=(EVIL,))}),
    ],
    ids=["name", "finding", "class", "space", "version", "request", "tuple"],
)
def test_hostile_text_of_the_start_is_escaped(section: object, change: dict[str, object]) -> None:
    drawn = section(data(builder(**change)))  # type: ignore[operator]
    assert "<script" not in drawn
    assert "<img" not in drawn
    assert "script&gt;" in drawn


def hostile(kind: str) -> HistoryBuilder:
    made = builder()
    made.full(Configuration(EVIL, {EVIL: EVIL}), [0.9, 0.9])
    paused = made.paused(CNN, 0.5)
    events = {
        "warning": Warned(EVIL, EVIL, 1.0),
        "stop": TrialStopped(paused, EVIL, 1.0),
        "phase": PhaseChanged("finalising", EVIL, 1.0),
        "winner": Decided(replace(WINNER, candidate=EVIL, method=EVIL), EVIL, EVIL, None, 1.0),
        "plan": Planned({}, {}, 0.0, (Finding("x", "info", EVIL),)),
        "end": RunEnded("failed", EVIL, 1.0),
    }
    made.add(events[kind])
    return made


@pytest.mark.parametrize("kind", ["warning", "stop", "phase", "winner", "plan", "end"])
def test_hostile_text_of_an_event_is_escaped(kind: str) -> None:
    page = render(data(hostile(kind), run=f"runs/{EVIL}"))
    assert "<script" not in page
    assert "<img" not in page
    assert SHOWN_EVIL in page


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://ann:s3cret@host:5000", "http://***@host:5000"),
        ("https://host/x?token=s3cret", "https://host/x?token=***"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
    ],
)
def test_no_password_is_on_the_page(uri: str, shown: str) -> None:
    page = render(data(builder(request=replace(run_started().request, tracking_uri=uri))))
    assert shown in page
    assert "s3cret" not in page


@pytest.mark.parametrize(
    ("p_better", "words"),
    [
        (None, ""),
        (0.5, "with probability 0.50"),
        (0.986, "with probability 0.99"),
        (0.99, "with probability 0.99"),
        (0.991, "with probability above 0.99"),
        (1.0, "with probability above 0.99"),
        (0.0, "with probability 0.00"),
    ],
)
def test_the_probability_of_beating_the_baseline(p_better: float | None, words: str) -> None:
    drawn = sections.winner(decided(replace(WINNER, p_better=p_better)))
    assert words in drawn
    assert ("better than baseline" in drawn) is bool(words)


@pytest.mark.parametrize(
    ("winner", "words"),
    [
        (WINNER, ["<dd>cnn</dd>", "trial 0 cnn 100%"]),
        (replace(WINNER, kind="ensemble", candidate="ensemble", weights={0: 0.25, 1: 0.75}),
         ["ensemble of 2 trials (ensemble)", "trial 1 linear 75%, trial 0 cnn 25%"]),
        (replace(WINNER, weights={77: 1.0}), ["trial 77 100%"]),
    ],
    ids=["single", "ensemble", "unknown trial"],
)  # fmt: skip
def test_the_winner_is_told_with_its_members(winner: Winner, words: list[str]) -> None:
    drawn = sections.winner(decided(winner))
    assert all(word in drawn for word in words)


@pytest.mark.parametrize("has_test", [True, False])
def test_the_test_set_is_told_where_there_is_one(has_test: bool) -> None:
    test = ScoreOnTest("accuracy", 0.875, 0.8, 0.95, {}, 1200) if has_test else None
    assert ("0.8750 [0.8000, 0.9500], 1,200 rows" in sections.winner(decided(test=test))) is has_test


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda b: None, "No trial is full yet."),
        (lambda b: b.paused(CNN, 0.5), "No trial is full yet."),
        (lambda b: b.full(CNN, [0.5, 0.5]), "The best full trial so far is cnn."),
    ],
    ids=["nothing", "paused", "full"],
)
def test_without_a_winner_it_says_what_is_known(make: object, words: str) -> None:
    made = builder()
    make(made)  # type: ignore[operator]
    drawn = sections.winner(data(made))
    assert "No winner was chosen" in drawn
    assert words in drawn


@pytest.mark.parametrize(
    ("run", "quoted"),
    [
        ("runs/x", "automl predict runs/x DATA"),
        ("my runs/x", "automl predict &#x27;my runs/x&#x27; DATA"),
        ("runs/$(rm)", "automl predict &#x27;runs/$(rm)&#x27; DATA"),
        ("runs/a;b", "automl predict &#x27;runs/a;b&#x27; DATA"),
    ],
)
def test_commands_are_quoted_for_the_shell(run: str, quoted: str) -> None:
    shown = replace(decided(), run=run)
    assert quoted in sections.how_to_use(shown)


@pytest.mark.parametrize("note", ["", "better than version 2", "<b>"])
def test_the_registry_is_told_with_its_note(note: str) -> None:
    registered = Registered("models:/m/3", "1", "r", True, note, 9.5)
    drawn = sections.how_to_use(decided(registered=registered))
    assert "<code>models:/m/3</code>" in drawn
    assert "<b>" not in drawn


@pytest.mark.parametrize(
    ("deploy", "split", "outcome", "words"),
    [("bag", "stratified", "", "the 2 models of the folds, averaged"), ("refit", "group", "done", "once more on all"),
     ("refit", "group", "oom", "the 2 models of the folds, averaged"), ("refit", "time", "done", "once more on all"),
     ("refit", "time", "oom", "the model of the latest fold")],
    ids=["bag", "refit", "refit-failed", "time", "time-failed"],
)  # fmt: skip
def test_what_is_deployed_is_said(deploy: str, split: str, outcome: str, words: str) -> None:
    before = run_started()
    made = builder(request=replace(before.request, deploy=deploy), spec=replace(before.spec, split=split))
    made.full(CNN, [0.9, 0.9])
    made.history.refits |= {0: MemberResult(0, -1, outcome)} if outcome else {}  # type: ignore[arg-type]
    made.add(Decided(WINNER, "artifacts/0001", "ab" * 32, None, 9.0))
    assert words in sections.winner(data(made))


@pytest.mark.parametrize(("trials", "more"), [(1, ""), (15, ""), (16, "1 more"), (40, "25 more")])
def test_a_long_leaderboard_is_folded(trials: int, more: str) -> None:
    made = builder()
    for place in range(trials):
        made.full(CNN, [place / 100, place / 100])
    drawn = sections.leaderboard(data(made))
    assert (f"<summary>{more}</summary>" in drawn) is bool(more)
    assert drawn.count("<tr") == trials + 1 + bool(more)


def test_the_members_of_the_winner_stand_out_on_the_leaderboard() -> None:
    drawn = sections.leaderboard(decided(replace(WINNER, weights={1: 1.0})))
    (chosen,) = re.findall(r'<tr class="chosen">(.*?)</tr>', drawn)
    assert ">linear<" in chosen


@pytest.mark.parametrize(
    ("failed", "stopped", "words"),
    [
        (0, 0, ""),
        (2, 0, "2 failed, 0 stopped early or paused"),
        (0, 3, "3 stopped early or paused"),
        (1, 1, "1 failed, 1 stopped early or paused"),
    ],
)
def test_trials_that_were_not_finished_are_counted(failed: int, stopped: int, words: str) -> None:
    made = builder()
    for _ in range(failed):
        made.failed(CNN)
    for _ in range(stopped):
        made.stopped(CNN, 0.5)
    drawn = sections.others(data(made))
    assert words in drawn
    assert bool(drawn) is bool(words)


@pytest.mark.parametrize(
    ("added", "budget"),
    [([], "10min"), (["+1h"], "10min + 1h"), (["", "+5trials"], "10min + 5trials"), (["1h", "1h"], "10min + 1h + 1h")],
)
def test_the_budget_is_told_with_what_was_added(added: list[str], budget: str) -> None:
    made = builder()
    for text in added:
        made.add(Resumed(1.0, 0.0, text))
    assert f"<dt>budget</dt><dd>{budget}</dd>" in sections.spend(data(made))


@pytest.mark.parametrize("seed", range(3))
def test_the_lines_of_the_bill_add_up_to_its_sum(seed: int) -> None:
    rng, made = np.random.default_rng(seed), builder()
    for _ in range(20):
        made.full(CNN if rng.random() < 0.5 else LINEAR, [0.5, 0.5])
    bill = data(made).bill
    assert sum(item.device_seconds for item in bill.items) == pytest.approx(bill.receipt.leased_seconds)
    assert sum(item.jobs for item in bill.items) == bill.receipt.leases
    assert sum(item.trials for item in bill.items) == bill.receipt.trials


def test_classes_without_rows_have_no_share() -> None:
    spec = replace(run_started().spec, classes=("a", "b"), class_counts=(20, 0))
    assert "0.0%" in sections.data_facts(data(builder(spec=spec)))


@pytest.mark.parametrize("metric", ["accuracy", "log_loss"])
def test_scores_stand_in_the_order_of_the_metric(metric: str) -> None:
    made = HistoryBuilder(metric=metric)
    for score in (0.25, 0.75, 0.5):
        made.full(CNN, [score, score])
    shown = re.findall(r">(0\.[257]+0*)</td>", sections.leaderboard(data(made)))
    assert shown[:3] == sorted(shown[:3], reverse=metric == "accuracy")


def test_a_confusion_needs_the_predictions_of_every_member(finished: FinishedRun) -> None:
    weights = finished.history.decided.winner.weights
    some = OutOfFold(finished.y, {next(iter(weights)): finished.probabilities})
    assert sections.confusion(build(finished.history, out_of_fold=some)) == ""


@pytest.mark.parametrize("value", [0, 1, 2.5, "x", True, False])
def test_an_argument_that_was_given_is_shown_even_if_it_is_nothing(value: object) -> None:
    request = replace(run_started().request, gpus=value)
    assert f"<dt>gpus</dt><dd>{value}</dd>" in sections.set_up(data(builder(request=request)))
