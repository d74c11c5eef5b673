"""A tiny data set of images, and a context that remembers what it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from automl.core.data import DataSpec
from automl.core.job import Job, Member
from automl.core.metrics import Metric, metric
from automl.core.space import Configuration, Value
from automl.spaces.space_file import read_space

SPACES = Path(__file__).parents[3] / "search_spaces" / "image-clf"
CLASSES = ("dark", "left", "right")


@dataclass
class Images:
    """A data source in memory."""

    X: np.ndarray
    y: np.ndarray
    folder: Path = Path()

    @property
    def spec(self) -> DataSpec:
        counts = tuple(np.bincount(self.y, minlength=3).tolist())
        return DataSpec("tiny", "image", len(self.X), self.X.shape[1:], CLASSES, counts, "0" * 64)


@dataclass
class Recorder:
    """A context: remembers reports and notes; the time left is a list that is used up, then infinite."""

    train_rows: np.ndarray
    valid_rows: np.ndarray
    cache: Path
    checkpoint: Path | None = None
    seed: int = 7
    device: str = "cpu"
    classes: int = 3
    is_timed: bool = False
    metric: Metric = field(default_factory=lambda: metric("accuracy"))
    left: list[float] = field(default_factory=list)
    stops_at: int = 10**6
    reports: list[tuple[int, float | None, float | None]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)

    def report(self, step: int, score: float | None, train_loss: float | None = None) -> bool:
        self.reports.append((step, score, train_loss))
        return step >= self.stops_at

    def seconds_left(self) -> float:
        return self.left.pop(0) if self.left else float("inf")

    def note(self, key: str, value: str) -> None:
        self.notes[key] = value


def images(rows: int = 96, side: int = 8, channels: int = 1) -> Images:
    """Return noise where class 1 is bright on the left and class 2 on the right."""
    rng = np.random.default_rng(0)
    y = np.arange(rows) % 3
    X = rng.integers(0, 120, (rows, side, side, channels), dtype=np.uint8)
    X[y == 1, :, : side // 2] += 110
    X[y == 2, :, side // 2 :] += 110
    return Images(X, y.astype(np.int64))


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Two threads that spin on a busy machine are many times slower than one."""
    torch.set_num_threads(1)


@pytest.fixture
def data() -> Images:
    return images()


@pytest.fixture
def ctx(data: Images, tmp_path: Path) -> Recorder:
    rows = np.arange(len(data.X))
    return Recorder(rows[rows % 4 > 0], rows[rows % 4 == 0], tmp_path / "cache")


@pytest.fixture
def fresh(ctx: Recorder) -> Callable[..., Recorder]:
    """Return a maker of contexts like ctx but with other values and nothing remembered."""
    return lambda **changes: replace(ctx, reports=[], notes={}, left=changes.pop("left", []), **changes)


@pytest.fixture
def configure() -> Callable[..., Configuration]:
    """Return a maker of small configurations from the space files."""

    def make(candidate: str = "resnet", **values: Value) -> Configuration:
        space = read_space((SPACES / f"{candidate}.toml").read_text(encoding="utf-8"), candidate)
        small = {"resnet": {"width": 16, "stages": 2}, "cnn": {"width": 8, "blocks": 2, "dense_width": 64}}[candidate]
        return space.complete({"batch_size": 32, **small, **values})

    return make


@pytest.fixture
def job() -> Callable[..., Job]:
    """Return a maker of jobs of one member."""

    def make(configuration: Configuration, stop: int, *, start: int = 0, full: int = 0, rows: float = 1.0) -> Job:
        member = Member(0, 0, configuration)
        return Job(1, (member,), 0, start, stop, full or stop, rows=rows)

    return make
