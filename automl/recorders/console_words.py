"""Times, amounts and marks as the console writes them."""

from __future__ import annotations

from dataclasses import dataclass

from automl.core.data import DataSpec
from automl.core.events import RunStarted
from automl.core.words import data_words as words_of_data
from automl.recorders.console_state import Progress, Spend


@dataclass(frozen=True)
class Glyphs:
    """The signs a terminal can show."""

    done: str
    rest: str
    point: str
    left: str
    right: str
    line: str
    warning: str
    note: str
    dot: str
    minus: str
    times: str
    below: str
    above: str


UNICODE = Glyphs("━", "─", "●", "├", "┤", "─", "▲", "•", " · ", "±", "×", "‹", "›")
ASCII = Glyphs("=", "-", "o", "|", "|", "-", "!", "*", ", ", "+-", "x", "<", ">")


def clock(seconds: float) -> str:
    """Return run seconds as a clock shows them.

    >>> [clock(s) for s in (7.9, 75, 3725)]
    ['0:07', '1:15', '1:02:05']
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def spent(spend: Spend) -> str:
    """Return an account in words.

    >>> spent(Spend("wall", 75.0, 600.0, 525.0))
    '1:15 of 10:00'
    """
    if spend.account == "trials":
        return f"{spend.used:.0f} of {spend.limit:.0f} trials"
    if spend.account == "wall":
        return f"{clock(spend.used)} of {clock(spend.limit)}"
    hours = spend.limit >= 3600
    unit, divisor = (f"{spend.account}-h", 3600) if hours else (f"{spend.account}-s", 1)
    decimals = 2 if hours else 0
    return f"{spend.used / divisor:.{decimals}f} of {spend.limit / divisor:.{decimals}f} {unit}"


def data_words(spec: DataSpec, glyphs: Glyphs) -> str:
    """Return the facts of the data and of what is learned in one phrase."""
    words = [words_of_data(spec, glyphs.times)]
    if spec.classes:
        words.append(f"{len(spec.classes)} classes")
    if spec.target:
        words.append(f"target {spec.target}")
    return glyphs.dot.join(words)


def set_up_words(started: RunStarted, glyphs: Glyphs) -> str:
    """Return how the run is set up in one phrase."""
    workers = f"{started.slots} {started.device} worker{'s' if started.slots != 1 else ''}"
    return glyphs.dot.join([started.metric, f"{started.folds} folds", workers, f"seed {started.seed}"])


def job_words(job: Progress, glyphs: Glyphs) -> str:
    """Return what a running job trains.

    >>> job_words(Progress(1, (4,), "cnn", "train", 3, (1, 2, 3), 0.1, 2, 9, None, 3.0), ASCII)
    'folds 2-4, 2/9'
    """
    if job.purpose == "probe":
        return "measuring"
    if job.purpose == "refit":
        return f"all rows{glyphs.dot}{job.step}/{job.stop_step}"
    first, last = min(job.folds) + 1, max(job.folds) + 1
    folds = f"fold {first}" if first == last else f"folds {first}-{last}"
    return f"{folds}{glyphs.dot}{job.step}/{job.stop_step}"
