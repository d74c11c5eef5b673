"""The charts of scores: over time, over steps, by candidate, by parameter, and the winner's interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from automl.core.events import Winner
from automl.core.words import score_words
from automl.report.build import Curve, Moment, ReportData
from automl.report.parameters import ParameterPlot
from automl.report.svg import (
    Scale,
    area,
    box,
    dot,
    figure,
    line,
    minutes,
    near_best,
    padded,
    picture,
    text,
    x_axis,
    y_axis,
)

WIDTH, LEFT, RIGHT, TOP, BELOW = 500.0, 52.0, 12.0, 14.0, 40.0
COLOURS = 8


def colour(data: ReportData, candidate: str) -> str:
    """Return the class of a candidate's colour; the same in all charts."""
    if candidate not in data.candidates:
        return "c-other"
    return f"c{data.candidates.index(candidate) % COLOURS}"


def score_over_time(data: ReportData, height: float = 260.0) -> str:
    """Return each full trial at the moment it was done, and the best so far as a line."""
    scores = near_best([m.score for m in data.moments], greater_is_better=data.metric.greater_is_better)
    end = max(data.history.at, data.moments[-1].at)
    x = Scale(0.0, end, LEFT, WIDTH - RIGHT)
    y = Scale(*padded(scores, 0.08), height - BELOW, TOP)
    parts = [
        x_axis(x, TOP, height - BELOW, minutes),
        y_axis(y, LEFT, WIDTH - RIGHT),
        line(((x(at), y(score)) for at, score in _best_so_far(data.moments, end, data)), "best"),
        *(_moment(data, moment, x, y) for moment in data.moments),
        text(WIDTH - RIGHT, height - 6, "run time", "axis end"),
    ]
    return picture(WIDTH, height, parts, f"{data.metric.name} of each full trial over time")


def _best_so_far(moments: Sequence[Moment], end: float, data: ReportData) -> Iterator[tuple[float, float]]:
    best = moments[0].score
    for moment in moments:
        yield moment.at, best
        if data.metric.is_better(moment.score, best):
            best = moment.score
            yield moment.at, best
    yield end, best


def _moment(data: ReportData, moment: Moment, x: Scale, y: Scale) -> str:
    hint = f"trial {moment.trial} {moment.candidate}: {score_words(moment.score)} at {minutes(moment.at)}"
    style = colour(data, moment.candidate)
    if y.holds(moment.score):
        return dot(x(moment.at), y(moment.score), style, hint)
    side = 1 if y(moment.score) == y.start else -1
    at, edge = x(moment.at), y(moment.score) - 3 * side
    return area([(at - 4, edge - 5 * side), (at + 4, edge - 5 * side), (at, edge + 2 * side)], style)


def learning_curves(data: ReportData, height: float = 300.0) -> str:
    """Return the best trial of each candidate over its steps, with the range over the folds."""
    ends = [value for curve in data.curves for _, _, low, high in curve.points for value in (low, high)]
    y = Scale(*padded(ends), height - BELOW, TOP)
    longest = max(curve.points[-1][0] for curve in data.curves)
    x = Scale(1.0, float(max(2, longest)), LEFT, WIDTH - RIGHT)
    parts = [x_axis(x, TOP, height - BELOW), y_axis(y, LEFT, WIDTH - RIGHT)]
    parts += [_curve(curve, colour(data, curve.candidate), x, y) for curve in data.curves]
    parts.append(text(WIDTH - RIGHT, height - 6, "epochs or rounds", "axis end"))
    return picture(WIDTH, height, parts, "score over training steps")


def _curve(curve: Curve, style: str, x: Scale, y: Scale) -> str:
    upper = [(x(step), y(high)) for step, _, _, high in curve.points]
    lower = [(x(step), y(low)) for step, _, low, _ in reversed(curve.points)]
    middle = [(x(step), y(mean)) for step, mean, _, _ in curve.points]
    step, mean, _, _ = curve.points[-1]
    hint = f"trial {curve.trial} {curve.candidate}: {score_words(mean)} after {step}"
    return area([*upper, *lower], f"band {style}") + line(middle, f"curve {style}") + dot(*middle[-1], style, hint)


def by_candidate(data: ReportData) -> str:
    """Return a strip for each candidate: its full trials as dots, their quartiles as a box where there are enough."""
    scores = [row.score for row in data.rows if row.score is not None]
    names = [name for name in data.candidates if any(row.candidate == name for row in data.rows)]
    row_height, left = min(44.0, max(26.0, 200.0 / len(names))), 110.0
    height = TOP + row_height * len(names) + BELOW - 12
    near = near_best(scores, greater_is_better=data.metric.greater_is_better)
    x = Scale(*padded(near, 0.04), left, WIDTH - RIGHT)
    parts = [x_axis(x, TOP, TOP + row_height * len(names))]
    for position, name in enumerate(names):
        parts.append(_strip(data, name, x, TOP + row_height * (position + 0.5)))
    return picture(WIDTH, height, parts, f"{data.metric.name} of the full trials by candidate")


def _strip(data: ReportData, name: str, x: Scale, y: float) -> str:
    rows = [row for row in data.rows if row.candidate == name]
    values = sorted(row.score for row in rows if row.score is not None)
    style = colour(data, name)
    parts = [text(100, y + 4, name, "label end")]
    if len(values) >= 4:
        quarter, half, most = (values[round(share * (len(values) - 1))] for share in (0.25, 0.5, 0.75))
        parts.append(box(x(quarter), y - 9, (x(most) - x(quarter), 18), f"quartiles {style}"))
        parts.append(line([(x(half), y - 9), (x(half), y + 9)], f"median {style}"))
    for position, row in enumerate(rows):
        score = row.score or 0.0
        shift = (position % 5 - 2) * 2.2
        if x.holds(score):
            parts.append(dot(x(score), y + shift, style, f"trial {row.trial}: {score_words(score)}", 3.2))
        else:
            parts.append(
                text(
                    x(score) + (4 if x(score) == x.start else -40),
                    y + 4,
                    f"{score:.3f}" if abs(score) < 100 else score_words(score),
                    "tick",
                )
            )
    return "".join(parts)


def parameter(data: ReportData, plot: ParameterPlot, candidate: str) -> str:
    """Return a small scatter of one parameter against the score."""
    width, height, left, bottom = 300.0, 180.0, 50.0, 150.0
    y = Scale(*padded(near_best(plot.scores, greater_is_better=data.metric.greater_is_better), 0.1), bottom, 12.0)
    style = colour(data, candidate)
    names = list(dict.fromkeys(map(str, plot.values)))
    if plot.is_number:
        x = _number_scale(plot, left, width)
        places = [x(float(value)) for value in plot.values]
        below = x_axis(x, 12.0, bottom, count=4)
    else:
        slot = (width - left - 12) / len(names)
        places = [left + slot * (names.index(str(v)) + 0.5) + (i % 5 - 2) * 3 for i, v in enumerate(plot.values)]
        below = "".join(text(left + slot * (i + 0.5), bottom + 16, n[:12], "tick mid") for i, n in enumerate(names))
    hints = [
        f"trial {t}: {plot.name} = {v}, {score_words(s)}"
        for t, v, s in zip(plot.trials, plot.values, plot.scores, strict=True)
    ]
    dots = [dot(p, y(s), f"{style} soft", h, 3.6) for p, s, h in zip(places, plot.scores, hints, strict=True)]
    return picture(width, height, [y_axis(y, left, width - 12, count=3), below, *dots], f"score by {plot.name}")


def _number_scale(plot: ParameterPlot, left: float, width: float) -> Scale:
    numbers = [float(value) for value in plot.values]
    if plot.is_log:
        return Scale(min(numbers) / 1.2, max(numbers) * 1.2, left, width - 12, is_log=True)
    return Scale(*padded(numbers), left, width - 12)


def winner_interval(winner: Winner) -> str:
    """Return the corrected score with its 95 % interval, and the uncorrected one beside it."""
    x = Scale(*padded([winner.low, winner.high, winner.corrected, winner.cv], 0.12), 8.0, 352.0)
    y = 26.0
    parts = [
        line([(x(winner.low), y), (x(winner.high), y)], "whisker"),
        line([(x(winner.low), y - 6), (x(winner.low), y + 6)], "whisker"),
        line([(x(winner.high), y - 6), (x(winner.high), y + 6)], "whisker"),
        dot(x(winner.cv), y, "hollow", f"cross-validated {score_words(winner.cv)}", 5),
        dot(x(winner.corrected), y, "point", f"corrected {score_words(winner.corrected)}", 6.5),
        text(x(winner.low), y + 24, _end(winner.low), "tick mid"),
        text(x(winner.high), y + 24, _end(winner.high), "tick mid"),
    ]
    words = f"95 % interval from {score_words(winner.low)} to {score_words(winner.high)}"
    return picture(360, 56, parts, words)


def _end(value: float) -> str:
    return figure(round(value, 4)) if 0.001 <= abs(value) < 100 else score_words(value)
