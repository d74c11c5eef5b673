"""The live view: a picture of a run as a pure function of its history. Imported only where a terminal watches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from automl.core.data import Finding
from automl.core.history import History
from automl.core.leaderboard import Row
from automl.core.words import score_words
from automl.recorders.console_state import (
    Progress,
    Reports,
    Spend,
    counts,
    progress,
    spends,
    standings,
)
from automl.recorders.console_words import UNICODE, Glyphs, clock, data_words, job_words, set_up_words, spent

ACCENT, CAUTION, QUIET = "#3a9bdc", "#d98200", "dim"
"""Blue and orange are told apart with every kind of colour blindness, on dark and on light ground."""
_SHOWN_FINDINGS, _SHOWN_JOBS, _SHOWN_ROWS, _SHOWN_WARNINGS = 4, 8, 6, 3
_NAME_WIDTH = 14
_SCALE_CELLS = 22
_JOB_CELLS, _LEAST_JOB_CELLS = 20, 4
_JOB_WIDTH, _ROW_WIDTH = 76, 64
"""Where the terminal is narrower, the bars of jobs shrink, and the leaderboard has figures alone."""
_NORMAL_95 = 1.96
_OFF_SCALE = 3.0


def view(
    history: History, reports: Reports, now: float, *, width: int = 80, glyphs: Glyphs = UNICODE
) -> RenderableType:
    """Return the run as it stands.

    Args:
        history: the run so far.
        reports: the latest sign of life of each running member.
        now: run seconds.
        width: of the terminal, in cells.
        glyphs: what it can show.
    """
    if history.started is None:
        return Text("looking at the data", style=QUIET)
    parts = [
        _header(history, glyphs),
        _notes(history, glyphs),
        _spending(history, now, width, glyphs),
        _running(history, progress(history, reports, now), width, glyphs),
        _leaderboard(history, width, glyphs),
        _warnings(history, glyphs),
    ]
    shown = [part for part in parts if part is not None]
    return Group(*(row for part in shown for row in (part, Text(""))))


def bar(share: float, cells: int, glyphs: Glyphs) -> Text:
    """Return a bar of so many cells, share of them done."""
    done = round(cells * min(1.0, max(0.0, share)))
    return Text.assemble((glyphs.done * done, ACCENT), (glyphs.rest * (cells - done), QUIET))


def interval(row: Row, low: float, high: float, glyphs: Glyphs) -> Text:
    """Return the 95 % interval of a row drawn on the scale from low to high."""
    span = max(high - low, 1e-12)

    def _cell(value: float) -> int:
        return min(_SCALE_CELLS - 1, max(0, round((value - low) / span * (_SCALE_CELLS - 1))))

    score, se = _figures(row)
    if not low <= score <= high:
        return Text(glyphs.below if score < low else glyphs.above.rjust(_SCALE_CELLS), style=QUIET)
    begin, middle, end = (_cell(score + sign * _NORMAL_95 * se) for sign in (-1.0, 0.0, 1.0))
    line = [" "] * _SCALE_CELLS
    line[begin : end + 1] = glyphs.line * (end + 1 - begin)
    line[begin], line[end] = glyphs.left, glyphs.right
    text = Text("".join(line), style=QUIET)
    return Text.assemble(text[:middle], (glyphs.point, ACCENT if row.rank == 1 else ""), text[middle + 1 :])


def scale_of(rows: Sequence[Row]) -> tuple[float, float]:
    """Return the ends of a common scale; rows more than thrice as far from the best as the median row are off it."""
    figures = [_figures(row) for row in rows]
    best = figures[0][0]
    far = sorted(abs(score - best) for score, _ in figures)[len(rows) // 2] * _OFF_SCALE
    near = [(score, se) for score, se in figures if abs(score - best) <= far]
    ends = [score + sign * _NORMAL_95 * se for score, se in near for sign in (-1.0, 1.0)]
    return min(ends), max(ends)


def _figures(row: Row) -> tuple[float, float]:
    """Return score and standard error; a ranked row has a score, and with one fold no error is known."""
    return row.score or 0.0, row.se or 0.0


def _header(history: History, glyphs: Glyphs) -> RenderableType:
    started = history.started
    assert started is not None
    title = Text.assemble(
        ("automl", f"bold {ACCENT}"), "  ", (started.spec.name, "bold"), glyphs.dot, started.request.task
    )
    facts = Text(data_words(started.spec, glyphs), style=QUIET)
    return Group(title, facts, Text(set_up_words(started, glyphs), style=QUIET))


def _notes(history: History, glyphs: Glyphs) -> RenderableType | None:
    assert history.started is not None
    found: list[Finding] = [*history.started.findings, *(history.planned.findings if history.planned else ())]
    if not found:
        return None
    ordered = sorted(found, key=lambda finding: finding.level != "warning")
    rows = [(_mark(finding, glyphs), Text(finding.message)) for finding in ordered[:_SHOWN_FINDINGS]]
    if len(ordered) > _SHOWN_FINDINGS:
        rows.append((Text(" "), Text(f"and {len(ordered) - _SHOWN_FINDINGS} more, see the report", style=QUIET)))
    return _grid(rows)


def _mark(finding: Finding, glyphs: Glyphs) -> Text:
    return Text(glyphs.warning, style=CAUTION) if finding.level == "warning" else Text(glyphs.note, style=QUIET)


def _spending(history: History, now: float, width: int, glyphs: Glyphs) -> RenderableType:
    accounts = spends(history, now)
    first = accounts[0]
    words = f"{first.share:4.0%}  {spent(first)}"
    line = Text.assemble(("budget  ", QUIET), bar(first.share, max(8, min(64, width) - 8 - len(words)), glyphs), words)
    below = [glyphs.dot.join(_outlook(history, accounts, now)), glyphs.dot.join(_tally(history))]
    return Group(line, *(Text(f"        {text}", style=QUIET) for text in below if text))


def _outlook(history: History, accounts: Sequence[Spend], now: float) -> Iterator[str]:
    if history.ended is not None:
        yield f"{history.ended.status} after {clock(history.ended.at)}: {history.ended.reason}"
        return
    if accounts[0].seconds_left < float("inf") and history.trials:
        yield f"{'' if accounts[0].account == 'wall' else 'about '}{clock(accounts[0].seconds_left)} left"
    yield from (spent(account) for account in accounts[1:])
    if history.planned is not None and history.planned.reserve_seconds > 0:
        yield f"{clock(history.planned.reserve_seconds)} kept back for finishing"


def _tally(history: History) -> Iterator[str]:
    if history.trials:
        yield from (f"{number} {words}" for words, number in counts(history))


def _running(history: History, jobs: Sequence[Progress], width: int, glyphs: Glyphs) -> RenderableType | None:
    if history.phase is not None and history.phase.phase == "finalising" and history.ended is None:
        head = Text.assemble(("finishing  ", "bold"), (history.phase.reason, QUIET))
        return Group(head, _jobs(jobs, width, glyphs)) if jobs else head
    return _jobs(jobs, width, glyphs) if jobs else None


def _jobs(jobs: Sequence[Progress], width: int, glyphs: Glyphs) -> RenderableType:
    cells = max(_LEAST_JOB_CELLS, _JOB_CELLS - max(0, _JOB_WIDTH - width))
    rows = [_job(job, cells, glyphs) for job in jobs[:_SHOWN_JOBS]]
    if len(jobs) > _SHOWN_JOBS:
        rows.append((Text(""), Text(f"and {len(jobs) - _SHOWN_JOBS} more", style=QUIET)))
    return _grid(rows)


def _job(job: Progress, cells: int, glyphs: Glyphs) -> tuple[Text, ...]:
    number = "" if job.purpose == "probe" else f"#{job.trials[0]}" + ("+" if len(job.trials) > 1 else "")
    score = "" if job.score is None else score_words(job.score)
    what = job_words(job, glyphs)
    return (
        Text(f"{number:>5}", style=QUIET),
        Text(f"{_short(job.candidate):<{_NAME_WIDTH}}"),
        bar(job.share, cells, glyphs),
        Text(f"{what:<18}", style=QUIET),
        Text(f"{score:>7}"),
        Text(f"{clock(job.seconds):>5}", style=QUIET),
    )


def _leaderboard(history: History, width: int, glyphs: Glyphs) -> RenderableType | None:
    assert history.started is not None
    shown = standings(history, _SHOWN_ROWS)
    if not shown:
        return None
    low, high = scale_of(shown)
    head = Text.assemble(
        ("leaderboard", "bold"),
        (f"  {history.started.metric} {glyphs.minus} standard error over {history.started.folds} folds", QUIET),
    )
    if width < _ROW_WIDTH:
        return Group(head, _grid([_row(row, glyphs) for row in shown]))
    drawn = [
        (*_row(row, glyphs), interval(row, low, high, glyphs), Text(f"#{row.trial}", style=QUIET)) for row in shown
    ]
    before = 2 + _NAME_WIDTH + max(len(cells[2]) for cells in drawn) + 3
    return Group(head, _grid(drawn), Text(" " * before + _scale_words(low, high), style=QUIET))


def _row(row: Row, glyphs: Glyphs) -> tuple[Text, ...]:
    style = "bold" if row.rank == 1 else ""
    return (
        Text(f"{row.rank:>2}", style=QUIET),
        Text(f"{_short(row.candidate):<{_NAME_WIDTH}}", style=style),
        Text(f" {glyphs.minus} ".join(map(score_words, _figures(row))), style=style),
    )


def _scale_words(low: float, high: float) -> str:
    left, right = (f"{end:.3f}" if abs(end) < 1000 else f"{end:,.0f}" for end in (low, high))
    return left + " " * (_SCALE_CELLS - len(left) - len(right)) + right


def _warnings(history: History, glyphs: Glyphs) -> RenderableType | None:
    if not history.warnings:
        return None
    latest = history.warnings[-_SHOWN_WARNINGS:]
    return _grid([(Text(glyphs.warning, style=CAUTION), Text(f"{w.source}: {w.message}")) for w in latest])


def _short(name: str) -> str:
    return name if len(name) <= _NAME_WIDTH else name[: _NAME_WIDTH - 1] + "~"


def _grid(rows: Sequence[Sequence[RenderableType]]) -> Table:
    table = Table.grid(padding=(0, 1))
    for row in rows:
        table.add_row(*row)
    return table
