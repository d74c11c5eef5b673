"""Which columns of a table with one step a row are channels: those of numbers and of truth values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from shlex import quote
from typing import NamedTuple

from automl.core.data import Finding
from automl.serving.series import ChannelKind
from automl.serving.table_cells import Cells
from automl.serving.table_profile import ENOUGH, Numbers, Profile, Words, best_numbers
from automl.serving.table_times import DateCounts
from automl.serving.table_values import FALSE, TRUE

_COUNTED = 10_000  # different values of a column after which it is known what it is
_ALL_COUNTED = 2_000_000  # over all columns
_SHOWN = 8


class Channels(NamedTuple):
    """What became of the columns that may be channels.

    Attributes:
        kinds: how each channel is written, by name, in the order of the table.
        others: what the other columns are, for people.
        findings: what was noticed.
    """

    kinds: dict[str, ChannelKind]
    others: dict[str, str]
    findings: list[Finding]


class ChannelFinder:
    """Looks at columns chunk by chunk; memory is bounded."""

    def __init__(self, names: Sequence[str]) -> None:
        enough = min(_COUNTED, max(100, _ALL_COUNTED // max(1, len(names))))
        self._profiles = {name: Profile(enough=enough, most=enough) for name in names}

    def add(self, chunk: Mapping[str, Cells]) -> None:
        """Take in the next rows."""
        for name, profile in self._profiles.items():
            profile.add(chunk[name])

    def finish(self, *, has_time: bool) -> Channels:
        """Return what the columns are.

        Args:
            has_time: whether it is known which column orders the steps.
        """
        kinds: dict[str, ChannelKind] = {}
        others: dict[str, str] = {}
        for name, profile in self._profiles.items():
            kind = _channel_kind(profile)
            if kind is None:
                others[name] = _other_kind(profile)
            else:
                kinds[name] = kind
        return Channels(kinds, others, _findings(others, has_time=has_time))


def _channel_kind(profile: Profile) -> ChannelKind | None:
    """Return how a column writes numbers or truth values; None if it holds something else."""
    numbers: Numbers | None = profile.view if isinstance(profile.view, Numbers) else None
    if profile.view is None:
        words = {text.casefold() for text in islice(profile.categories(), _SHOWN)}
        if words and words <= TRUE | FALSE and not words <= {"0", "1"}:
            return "boolean"
        numbers = best_numbers(profile.counts)
    if numbers is None or not numbers.present or numbers.share < ENOUGH:
        return None
    return "comma" if numbers.comma else "number"


def _other_kind(profile: Profile) -> str:
    if profile.view is None and not profile.categories():
        return "empty"
    if isinstance(profile.view, Words | Numbers):
        return "text"
    dates = profile.view if isinstance(profile.view, DateCounts) else DateCounts()
    if profile.view is None:
        dates.add_counts(profile.counts)
    choice = dates.choice()
    return "date" if choice is not None and choice.share >= ENOUGH else "text"


def _findings(others: Mapping[str, str], *, has_time: bool) -> list[Finding]:
    findings = []
    if others:
        listed = ", ".join(f"{name!r} ({kind})" for name, kind in islice(others.items(), _SHOWN))
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        message = f"columns that are no numbers are no channels and not looked at: {listed}{more}"
        findings.append(Finding("columns-left-out", "warning", message))
    dates = [name for name, kind in others.items() if kind == "date"]
    if dates and not has_time:
        message = (
            f"the steps of a series stay in the order of the table. If {dates[0]!r} is their time, use "
            f"--series-time {quote(dates[0])}"
        )
        findings.append(Finding("series-time-likely", "warning", message))
    return findings
