"""The sections about what the model answers: numbers against the truth, kept probabilities, the columns it reads."""

from __future__ import annotations

from automl.core.words import score_words
from automl.report import fit_charts
from automl.report.build import ReportData
from automl.report.html import Markup, details, section, table
from automl.report.numbers import SHARES

_SHOWN_COLUMNS = 12


def numbers(data: ReportData) -> Markup:
    """Return predicted against actual values, and how far they are apart."""
    fit = data.fit
    if fit is None:
        return Markup("")
    header = ("", *(f"{share:.0%} " for share in SHARES))
    rows = [
        ("predicted − actual", *map(score_words, fit.residuals)),
        ("its size", *map(score_words, fit.absolute)),
    ]
    return section(
        "Predicted and actual",
        fit_charts.predicted_and_actual(fit),
        table(header, rows),
        note=f"{fit.rows:,} rows, predicted by models that did not see them; below so many rows lie within the figure",
    )


def target(data: ReportData) -> Markup:
    """Return the distribution of the numbers to predict."""
    if data.fit is None:
        return Markup("")
    name = data.started.spec.target or "the target"
    return section("Target", fit_charts.distribution(data.fit), note=f"{name}; the outermost 1 % is left out")


def kept_probabilities(data: ReportData) -> Markup:
    """Return the reliability curve of two classes."""
    found = data.reliability
    if found is None:
        return Markup("")
    return section(
        "Calibration",
        fit_charts.reliability_curve(found),
        note=f"on the line, probabilities keep what they promise; {found.error:.3f} off on average, on unseen rows",
    )


def columns(data: ReportData) -> Markup:
    """Return what became of each column of the table."""
    spec = data.started.spec
    rows = list(spec.columns.items())
    if not rows:
        rows = [(str(column["name"]), str(column["kind"])) for column in spec.input.get("columns", ())]
    header = ("column", "what it is")
    return section(
        "Columns",
        table(header, rows[:_SHOWN_COLUMNS]),
        details(f"{len(rows) - _SHOWN_COLUMNS} more", table(header, rows[_SHOWN_COLUMNS:])),
    )


def importance(data: ReportData) -> Markup:
    """Return what the score loses when a column tells nothing."""
    found = data.importance
    if found is None or not found.columns:
        return Markup("")
    shuffles = "one shuffle" if found.repeats == 1 else f"mean of {found.repeats} shuffles"
    return section(
        "What the model looks at",
        fit_charts.importance_bars(found.columns),
        note=f"loss of {data.metric.name} when the values of one column are shuffled, on {found.rows:,} rows that the "
        f"models did not see; {shuffles}. Columns that say the same share their importance.",
    )
