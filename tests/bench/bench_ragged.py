"""Training on rows of different lengths: batches of like length against batches padded in the usual ways.

    python tests/bench/bench_ragged.py [--rows 2000] [--rounds 5] [--batch 32] [--body cnn]

Texts are made up, their lengths log-normal as those of reviews are. Each way trains one epoch a round with the same
network, in turn; what counts is the median over rounds of rows per CPU-second. Aims: 6 times the rows of padding all to
the longest, twice those of padding each batch, drawn at random, to its own.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from automl.candidates.training.bodies_text import make_bag, make_cnn
from automl.candidates.training.entrance_tokens import TokenEntrance
from automl.candidates.training.pace import Pace
from automl.candidates.training.ragged_network import RaggedNetwork
from automl.candidates.training.ragged_rows import Batch, RaggedRows
from automl.candidates.training.ragged_settings import RaggedSettings
from automl.candidates.training.ragged_trainer import RaggedTrainer

WORDS, CLASSES, WIDTH = 8000, 4, 64
LONGEST = 512
"""Longer texts are cut, as they are in a search."""
BODIES: dict[str, Callable[[], Any]] = {
    "cnn": lambda: make_cnn({"filters": 64, "kernels": "2,3,4", "blocks": 1}, WIDTH, LONGEST),
    "bag": lambda: make_bag({"pooling": "attention", "hidden": 0}, WIDTH, LONGEST),
}
Ways = dict[str, Callable[[np.ndarray, int], list[Batch]]]


def made_up(rows: int) -> RaggedRows:
    """Return texts with 36 tokens in the median, log-normal, and Zipf's words."""
    rng = np.random.default_rng(0)
    lengths = np.clip(np.rint(np.exp(rng.normal(np.log(36), 0.9, rows))), 1, LONGEST).astype(np.int64)
    values = np.minimum(rng.zipf(1.3, lengths.sum()) + 2, WORDS - 1)
    ends = np.cumsum(lengths)
    places = [torch.from_numpy(part) for part in (ends - lengths, ends, rng.integers(0, CLASSES, rows))]
    return RaggedRows(torch.from_numpy(values).float(), *places, None, lengths)


def drawn(lengths: np.ndarray, batch: int, *, steps: int | None) -> list[Batch]:
    """Return batches drawn at random, padded to so many steps or each to its own longest row."""
    parts = np.random.default_rng(1).permutation(len(lengths))
    split = np.array_split(parts, -(-len(parts) // batch))
    return [Batch(part, steps or int(lengths[part].max()), is_full=False) for part in split]


class Padded(RaggedTrainer):
    """The same trainer with batches that somebody else makes."""

    def __init__(self, *given: Any, ready: list[Batch]) -> None:
        super().__init__(*given)
        self.ready = ready

    def train_epoch(self, pace: Pace) -> bool:
        for batch in self.ready:
            self._step(batch, pace.progress(self.steps), 1 / pace.steps)
        return False


class NoClock:
    """All a `Pace` asks of a context."""

    is_timed = False


def epochs(arguments: Any, rows: RaggedRows) -> dict[str, Callable[[], object]]:
    """Return, by the name of each way, what trains one epoch."""
    settings = RaggedSettings(lr=1e-3, epochs=1000, batch_size=arguments.batch)
    ways = {
        "to the longest": drawn(rows.lengths, arguments.batch, steps=int(rows.lengths.max())),
        "to each batch's longest": drawn(rows.lengths, arguments.batch, steps=None),
    }

    def network() -> RaggedNetwork:
        table = np.random.default_rng(2).normal(0, 0.1, (WORDS, WIDTH)).astype(np.float32)
        return RaggedNetwork(TokenEntrance(table), BODIES[arguments.body](), CLASSES, dropout=0.2)

    def trainer(ready: list[Batch] | None) -> RaggedTrainer:
        given = (network(), rows, settings, np.random.default_rng(3))
        return RaggedTrainer(*given) if ready is None else Padded(*given, ready=ready)

    trainers = {name: trainer(ready) for name, ready in {**ways, "like lengths together": None}.items()}
    pace = Pace(NoClock(), 10**6, reserve_seconds=0)  # type: ignore[arg-type]
    return {name: lambda made=made: made.train_epoch(pace) for name, made in trainers.items()}  # type: ignore[misc]


def measure(arguments: Any, rows: RaggedRows) -> dict[str, float]:
    """Return the median rows per CPU-second of each way, after one epoch of each to warm up."""
    loops = epochs(arguments, rows)
    seen: dict[str, list[float]] = {name: [] for name in loops}
    for number in range(arguments.rounds + 1):
        for name, epoch in loops.items():
            start = time.process_time()
            epoch()
            if number:
                seen[name].append(len(rows.y) / (time.process_time() - start))
    return {name: statistics.median(values) for name, values in seen.items()}


def main() -> None:
    """Print a table of the medians and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in {"rows": 2000, "rounds": 5, "batch": 32}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--body", choices=BODIES, default="cnn")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = made_up(arguments.rows)
    medians = measure(arguments, rows)
    print(f"{arguments.rows} texts of {rows.lengths.mean():.0f} tokens, at most {rows.lengths.max()}; {arguments.body}")
    for name, value in medians.items():
        print(f"{name:26s} {value:8.0f} rows/CPU-s {medians['like lengths together'] / value:8.2f} times slower")


if __name__ == "__main__":
    main()
