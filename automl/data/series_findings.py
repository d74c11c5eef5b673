"""What is worth knowing about prepared series. Nothing here is fatal, and nothing takes longer than seconds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from shlex import quote

import numpy as np

from automl.core.data import DataSpec, Finding
from automl.data.table_findings import SAMPLE, sample_rows
from automl.data.table_hashes import repeated_findings, shared_findings
from automl.data.table_leaks import leak_findings
from automl.serving.series import Series, SeriesRule
from automl.serving.table import Column, TableRule

FEW_SERIES = 50
_MOST_VALUES = 20_000_000
"""Steps times channels that are looked at where not all are."""
_LEAK_CHANNELS = 100
_FEWEST_STEPS = 20
_SHOWN = 8


def train_findings(spec: DataSpec, series: Series, y: np.ndarray) -> list[Finding]:
    """Return what is worth knowing about training series."""
    rule = SeriesRule.from_json(spec.input)
    rows = _sample(series)
    some = Series.of_packed(*series[rows].packed())
    return [
        *_lengths(series),
        *_count(len(series)),
        *_missing(some),
        *_channels(some, rule),
        *repeated_findings(series_hashes(series), y),
        *_leaks(some, np.asarray(y[rows]), rule.channels),
    ]


def test_findings(train: Series, test: Series) -> list[Finding]:
    """Return what is worth knowing about test series beside training series; labels are not looked at."""
    return [*shared_findings(series_hashes(train), series_hashes(test)), *_other_lengths(train, test)]


def series_hashes(series: Series) -> np.ndarray:
    """Return a hash of each series, uint64 (n,); equal ones have equal hashes."""
    places = zip(series.starts.tolist(), series.ends.tolist(), strict=True)
    said = (
        hashlib.blake2b((series.values[start:end] + 0.0).tobytes(), digest_size=8).digest() for start, end in places
    )
    return np.frombuffer(b"".join(said), np.uint64)


def means(series: Series) -> np.ndarray:
    """Return the mean of what is known of each channel of packed series, float64 (n, channels); NaN where nothing is.

    >>> means(Series.of([np.array([[1.0], [3.0], [np.nan]]), np.array([[np.nan]])])).tolist()
    [[2.0], [nan]]
    """
    is_known = ~np.isnan(series.values)
    sums = np.add.reduceat(np.where(is_known, series.values, 0), series.starts, axis=0, dtype=np.float64)
    counts = np.add.reduceat(is_known, series.starts, axis=0, dtype=np.int64)
    return np.asarray(np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0))


def _sample(series: Series) -> np.ndarray:
    """Return row numbers in random order, so many that they are looked at in a second."""
    rows = sample_rows(len(series), SAMPLE)
    values = np.cumsum(series.lengths[rows]) * series.channels
    return rows[: max(1, int(np.searchsorted(values, _MOST_VALUES, side="right")))]


def _lengths(series: Series) -> list[Finding]:
    lengths = series.lengths
    low, high = int(lengths.min()), int(lengths.max())
    if low == high:
        return []
    message = f"series differ in length: {low:,} to {high:,} steps, {float(np.median(lengths)):,.0f} in the median"
    return [Finding("lengths-differ", "info", message)]


def _count(series: int) -> list[Finding]:
    if series >= FEW_SERIES:
        return []
    message = f"{series} series are few: the interval of the score is wide, and choices by it are uncertain"
    return [Finding("series-few", "warning", message)]


def _missing(series: Series) -> list[Finding]:
    missing = np.isnan(series.values)
    share = float(missing.mean())
    if not share:
        return []
    touched = np.add.reduceat(missing.any(axis=1), series.starts, dtype=np.int64) > 0
    empty = int(np.logical_and.reduceat(missing.all(axis=1), series.starts).sum())
    message = f"{share:.2%} of the values are missing, in {touched.mean():.0%} of the series"
    also = f"; {empty:,} series looked at have no value at all" if empty else ""
    return [Finding("values-missing", "warning" if empty else "info", message + also)]


def _channels(series: Series, rule: SeriesRule) -> list[Finding]:
    """Tell channels that say nothing, or that seem to be something else than a measure."""
    values = series.values
    known = np.where(np.isnan(values), np.inf, values), np.where(np.isnan(values), -np.inf, values)
    is_constant = known[0].min(axis=0) >= known[1].max(axis=0)
    inside = np.ones(len(values), np.bool_)
    inside[series.starts] = False
    steps = np.diff(values, axis=0)[inside[1:]]
    findings = _named("channels-constant", "channels that never change, and say nothing", is_constant, rule)
    if len(steps) < _FEWEST_STEPS:
        return findings
    is_static = (steps == 0).all(axis=0) & ~is_constant
    findings += _named(
        "channels-static", "channels that do not change within a series; if they name it, as persons or devices are "
        "named, leave them out", is_static, rule)  # fmt: skip
    is_rising = (steps > 0).all(axis=0)
    if rule.id and not rule.time and is_rising.any():
        name = rule.channels[int(is_rising.argmax())]
        message = (
            f"channel {name!r} rises in every series. If it is the time of the steps, use --series-time {quote(name)}"
        )
        findings.append(Finding("series-time-likely", "warning", message))
    return findings


def _named(code: str, what: str, chosen: np.ndarray, rule: SeriesRule) -> list[Finding]:
    names = [rule.channels[place] for place in np.flatnonzero(chosen).tolist()]
    if not names:
        return []
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return [Finding(code, "warning", f"{what}: {', '.join(map(repr, names[:_SHOWN]))}{more}")]


def _leaks(series: Series, y: np.ndarray, channels: Sequence[str]) -> list[Finding]:
    """Tell what single number of a series gives its class away: its length, what is missing, or a channel's mean."""
    missing = np.add.reduceat(np.isnan(series.values).mean(axis=1), series.starts)
    numbers = {"length": series.lengths.astype(np.float64), "number of missing values": missing}
    averages = means(series)[:, :_LEAK_CHANNELS]
    numbers |= {f"mean of channel {name!r}": column for name, column in zip(channels, averages.T, strict=False)}
    findings = []
    for name, values in numbers.items():
        if leak_findings(TableRule((Column(name, "number"),)), values[:, None], y):
            message = (
                f"the {name} alone gives the class away on held-out series; if that is how the data was recorded and "
                "not what is to be learned, mend the data"
            )
            findings.append(Finding("leak-suspected", "warning", message))
    return findings


def _other_lengths(train: Series, test: Series) -> list[Finding]:
    known, found = train.lengths, test.lengths
    outside = int(((found < known.min()) | (found > known.max())).sum())
    if not outside:
        return []
    message = (
        f"{outside} of {len(found)} test series are shorter or longer than any of training: {found.min():,} to "
        f"{found.max():,} steps, in training {known.min():,} to {known.max():,}"
    )
    return [Finding("test-lengths", "warning", message)]
