"""A context and a data source for one member, without a run: what tests and benchmarks hand to a candidate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from automl.core.clock import Clock, MonotonicClock
from automl.core.data import DataSpec
from automl.core.job import Job, Member
from automl.core.metrics import Metric, metric
from automl.core.protocols import Holdout
from automl.core.space import Configuration
from automl.serving.series import Series, SeriesRule
from automl.serving.table import UNSEEN, Column, Table, TableRule
from automl.serving.texts import Texts


@dataclass
class LocalContext:
    """Implements `automl.core.protocols.Context` and remembers what it is told.

    Attributes:
        stop_after: `report` asks the candidate to stop after so many reports; None never.
        seconds: time until the deadline, counted by clock from the first look at it.
        reports: (step, score, training loss) as reported.
        notes: as noted.
    """

    train_rows: np.ndarray
    valid_rows: np.ndarray
    classes: int
    cache: Path
    seed: int = 0
    device: str = "cpu"
    metric: Metric = field(default_factory=lambda: metric("accuracy"))
    checkpoint: Path | None = None
    is_timed: bool = False
    resources: Mapping[str, Path] = field(default_factory=dict)
    seconds: float = float("inf")
    clock: Clock = field(default_factory=MonotonicClock)
    stop_after: int | None = None
    reports: list[tuple[int, float | None, float | None]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    _start: float | None = None

    def report(self, step: int, score: float | None, train_loss: float | None = None) -> bool:
        """Remember the report; ask to stop after `stop_after` of them."""
        self.reports.append((step, score, train_loss))
        return self.stop_after is not None and len(self.reports) >= self.stop_after

    def seconds_left(self) -> float:
        """Return what is left of `seconds`."""
        now = self.clock.now()
        if self._start is None:
            self._start = now
        return self.seconds - (now - self._start)

    def holdout(self, share: float, *, most: int) -> Holdout:
        """Hold out each so many-th of the training rows."""
        every = max(2, round(max(1 / share, len(self.train_rows) / most)))
        is_held = np.arange(len(self.train_rows)) % every == every - 1
        return Holdout(self.train_rows[~is_held], self.train_rows[is_held])

    def note(self, key: str, value: str) -> None:
        """Remember a decision."""
        self.notes[key] = value


@dataclass
class ArrayData:
    """Implements `automl.core.protocols.DataSource` over rows in memory."""

    X: Any
    y: np.ndarray
    spec: DataSpec
    folder: Path = Path()
    weights: np.ndarray | None = None
    groups: np.ndarray | None = None


def image_data(X: np.ndarray, y: np.ndarray, *, classes: int, name: str = "arrays") -> ArrayData:
    """Return uint8 images (n, height, width, channels) with int64 class codes as a data source.

    The fingerprint is the name: give other arrays another one, or another cache.
    """
    counts = tuple(int(c) for c in np.bincount(y, minlength=classes))
    labels = tuple(f"class {code}" for code in range(classes))
    return ArrayData(X, y, DataSpec(name, "image", len(X), X.shape[1:], labels, counts, fingerprint=name))


def striped_images(
    rows: int, *, classes: int = 3, shape: tuple[int, int, int] = (8, 8, 1), seed: int = 0, noise: float = 40.0
) -> ArrayData:
    """Return images of stripes whose direction is their class: learnable from a hundred rows in a second.

    Args:
        rows: how many; classes take turns.
        classes: directions, evenly over half a turn.
        shape: (height, width, channels) of an image.
        seed: of phases and noise.
        noise: standard deviation of the pixels' noise, of 255.
    """
    rng = np.random.default_rng(seed)
    y = np.arange(rows, dtype=np.int64) % classes
    down, across = np.mgrid[: shape[0], : shape[1]]
    angle = (y * np.pi / classes)[:, None, None]
    phase = rng.uniform(0, 2 * np.pi, size=(rows, 1, 1))
    waves = np.sin(1.5 * (across * np.cos(angle) + down * np.sin(angle)) + phase)
    pixels = 127.5 + 90 * waves[..., None] + rng.normal(0, noise, size=(rows, *shape))
    return image_data(np.clip(pixels, 0, 255).astype(np.uint8), y, classes=classes, name=f"stripes-{rows}-{seed}")


_COLOURS = ("red", "green", "blue", "violet")
_WORDS = ("cheap", "broken", "great", "slow", "fine")


def mixed_table(rows: int, *, classes: int = 3, seed: int = 0) -> ArrayData:
    """Return a table with columns of every kind, missing values and an unseen category, learnable from a few columns.

    Args:
        rows: how many; classes take turns.
        classes: number of classes; 0 for a number as the target.
        seed: of everything that is drawn.
    """
    rng = np.random.default_rng(seed)
    turn = np.arange(rows, dtype=np.int64) % (classes or 3)
    size = turn + rng.normal(0, 0.5, rows)
    wide = np.exp(rng.normal(0, 1, rows))
    is_new = (rng.random(rows) < 0.3 + 0.4 * (turn == 1)).astype(np.float64)
    colour = np.where(rng.random(rows) < 0.7, turn % 3, rng.integers(0, 4, rows)).astype(np.float64)
    day = 1.6e9 + 86400.0 * rng.integers(0, 1000, rows)
    for column, share in ((size, 0.1), (colour, 0.05), (day, 0.05)):
        column[rng.random(rows) < share] = np.nan
    colour[rng.random(rows) < 0.02] = UNSEEN
    said = [" ".join([_WORDS[t % len(_WORDS)], *rng.choice(_WORDS, 3)]) if t else "" for t in turn.tolist()]
    rule = TableRule((
        Column("size", "number"), Column("wide", "number"), Column("new", "boolean"),
        Column("colour", "category", _COLOURS), Column("said", "text"), Column("day", "date"),
    ))  # fmt: skip
    X = Table(np.stack([size, wide, is_new, colour, day], axis=1), (Texts.of(said),))
    y: np.ndarray = turn if classes else 10 * turn + wide + rng.normal(0, 0.5, rows)
    counts = tuple(np.bincount(turn, minlength=classes).tolist()) if classes else ()
    name = f"mixed-{rows}-{classes}-{seed}"
    spec = DataSpec(name, "table", rows, (len(rule.columns),), tuple(f"class {c}" for c in range(classes)), counts,
                    name, rule.to_json(), target="answer")  # fmt: skip
    return ArrayData(X, y, spec)


_FILLERS = ("the", "a", "it", "was", "and", "very", "really", "so", "then", "again", "we", "they")
_SAID = (("good", "great", "fine"), ("bad", "poor", "broken"), ("late", "slow", "never"))


def text_table(texts: Iterable[str]) -> Table:
    """Return rows as `text-clf` has them: one column of text and no numbers."""
    column = Texts.of(texts)
    return Table(np.zeros((len(column), 0)), (column,))


def spoken_texts(rows: int, *, classes: int = 3, seed: int = 0) -> ArrayData:
    """Return texts of 1 to 12 words of which one or two tell the class, the first of them empty.

    Args:
        rows: how many; classes take turns.
        classes: 2 or 3.
        seed: of everything that is drawn.
    """
    rng = np.random.default_rng(seed)
    y = np.arange(rows, dtype=np.int64) % classes
    said = [""]
    for code in y[1:].tolist():
        words = [*rng.choice(_FILLERS, rng.integers(0, 11)), *rng.choice(_SAID[code], rng.integers(1, 3))]
        said.append(" ".join(rng.permutation(words)).capitalize() + rng.choice(["", ".", "!"]))
    lengths = [len(text) for text in said]
    rule, name = TableRule((Column("said", "text"),)), f"spoken-{rows}-{classes}-{seed}"
    counts = tuple(np.bincount(y, minlength=classes).tolist())
    shape = (1, round(float(np.mean(lengths))), max(lengths))
    labels = tuple(f"class {code}" for code in range(classes))
    spec = DataSpec(name, "text", rows, shape, labels, counts, name, rule.to_json(), target="answer")
    return ArrayData(text_table(said), y, spec)


def waving_series(
    rows: int, *, classes: int = 3, channels: int = 2, shortest: int = 12, longest: int = 40, seed: int = 0
) -> ArrayData:
    """Return series of waves whose frequency is their class, of different lengths, with missing values.

    Args:
        rows: how many; classes take turns.
        classes: number of frequencies.
        channels: of a series; the second is noise, others repeat the first.
        shortest: steps of a series at least.
        longest: steps of a series at most.
        seed: of everything that is drawn.
    """
    rng = np.random.default_rng(seed)
    y = np.arange(rows, dtype=np.int64) % classes
    series = []
    for code in y.tolist():
        steps = np.arange(int(rng.integers(shortest, longest + 1)))
        wave = np.sin((0.4 + 0.7 * code) * steps + rng.uniform(0, 2 * np.pi))
        values = np.repeat(wave[:, None], channels, axis=1) + rng.normal(0, 0.2, (len(steps), channels))
        values[:, 1:2] = rng.normal(0, 1, (len(steps), min(1, channels - 1)))
        values[rng.random(values.shape) < 0.02] = np.nan
        series.append(values)
    X = Series.of(series)
    rule, name = SeriesRule(tuple(map(str, range(channels)))), f"waves-{rows}-{classes}-{channels}-{longest}-{seed}"
    counts = tuple(np.bincount(y, minlength=classes).tolist())
    shape = (channels, round(float(X.lengths.mean())), int(X.lengths.max()))
    labels = tuple(f"class {code}" for code in range(classes))
    return ArrayData(X, y, DataSpec(name, "series", rows, shape, labels, counts, name, rule.to_json()))


def one_member(configuration: Configuration, *, start: int = 0, stop: int = 1, full: int | None = None) -> Job:
    """Return a job of one member, from step start to step stop of full."""
    return Job(
        id=0,
        members=(Member(0, 0, configuration),),
        rung=0,
        start_steps=start,
        stop_steps=stop,
        full_steps=stop if full is None else full,
        keep_model=True,
    )
