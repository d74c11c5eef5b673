"""Measure configurations on tables and order them into a portfolio: each entry is what adds most to those before it.

    python tests/bench/measure_portfolio.py measure WORK TABLE... --task tabular-clf --candidates LIST.toml
    python tests/bench/measure_portfolio.py order WORK... [--length 20] > search_spaces/tabular-clf/portfolio.toml

TABLE is `PATH:TARGET[:METRIC]`, training data only; LIST.toml is a portfolio file with all configurations to be
measured. `measure` trains each of them on all folds of each table and keeps the run folders in WORK, so that tables and
configurations can be added later; `order` reads them all.

The value of a set of configurations on a table is the out-of-fold score of the greedy ensemble over it, between that of
the baseline (0) and that of the ensemble over all configurations (1). The next entry is the one that lifts the mean
value most, a little in favour of the quick. Source of the greedy choice: Feurer et al. 2020, Auto-Sklearn 2.0,
https://arxiv.org/abs/2007.04074, section 3.1; of taking the ensemble's score: Salinas & Erickson 2023, TabRepo,
https://arxiv.org/abs/2311.02971.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automl import api
from automl.core.metrics import metric
from automl.core.scores import Pool
from automl.ensembles.greedy import Greedy
from automl.run.folder import RunFolder
from automl.run.pages import out_of_fold
from automl.run.session import read

ROWS = 4000
"""Out-of-fold rows of a table that are looked at when entries are ordered."""
SPEED = 0.01
"""What a tenth of the time is worth, as a share of the whole value."""


@dataclass(frozen=True)
class Measured:
    """One table: what each configuration predicted out of fold, and the seconds it took."""

    name: str
    pool: Pool
    keys: tuple[str, ...]
    seconds: dict[str, float]
    entries: dict[str, dict[str, Any]]

    def value(self, chosen: Sequence[str]) -> float:
        """Return the score of the greedy ensemble over some configurations, greater being better."""
        kept = [self.keys.index(key) for key in chosen if key in self.keys]
        if not kept:
            return self.pool.metric.sign * float(self.pool.scores(np.ones(len(self.pool.y)))[self._baseline])
        part = Pool(tuple(self.pool.predictions[i] for i in kept), self.pool.y, self.pool.metric)
        return self.pool.metric.sign * part.score(Greedy(part)(np.ones(len(part.y))))

    @property
    def _baseline(self) -> int:
        return next(i for i, key in enumerate(self.keys) if self.entries[key]["candidate"] == "baseline")


def measure(work: Path, tables: Sequence[str], *, task: str, listed: Path, folds: int) -> None:
    """Train all configurations on all tables; a table that is there already is passed over."""
    import tomllib

    count = len(tomllib.loads(listed.read_text())["configuration"])
    for table in tables:
        path, target, *named = table.split(":")
        out = work / f"{task}-{Path(path).parent.name}"
        if not out.exists():
            chosen = named[0] if named else ""
            api.search(path, task=task, target=target, metric=chosen, budget=f"{count}trials", folds=folds,
                       space=(str(listed),), scheduler="full", out=str(out), tracking_uri="none")  # fmt: skip


def load(run: Path, rng: np.random.Generator) -> Measured:
    """Return what a finished run measured."""
    history, folder = read(run).history, RunFolder(run)
    assert history.started is not None
    folds, y = np.load(folder.folds), np.load(Path(history.started.data_folder) / "y.npy")
    rows = rng.permutation(np.flatnonzero(folds >= 0))[:ROWS]
    trials = history.full()
    predictions = tuple(out_of_fold(folder, history, t.number, folds)[rows] for t in trials)
    keys = tuple(t.configuration.key() for t in trials)
    entries = {
        t.configuration.key(): {"candidate": t.configuration.candidate, **t.configuration.values} for t in trials
    }
    seconds = {t.configuration.key(): t.device_seconds for t in trials}
    return Measured(run.name, Pool(predictions, y[rows], metric(history.started.metric)), keys, seconds, entries)


def order(tables: Sequence[Measured], length: int) -> list[tuple[str, float]]:
    """Return the keys of the entries in their order, each with the mean value reached with it."""
    keys = sorted({key for table in tables for key in table.keys})
    lows, highs = [t.value([]) for t in tables], [t.value(t.keys) for t in tables]
    chosen: list[tuple[str, float]] = []
    while len(chosen) < min(length, len(keys)):
        before = [key for key, _ in chosen]
        values = {
            key: float(np.mean([(t.value([*before, key]) - low) / max(1e-12, high - low)
                                for t, low, high in zip(tables, lows, highs, strict=True)]))
            for key in keys if key not in before
        }  # fmt: skip
        best = max(values, key=lambda key: values[key] - SPEED * np.log10(_seconds(tables, key)))
        chosen.append((best, values[best]))
        sys.stderr.write(f"{values[best]:.4f} {best} ({_seconds(tables, best):.1f} s)\n")
    return chosen


def _seconds(tables: Sequence[Measured], key: str) -> float:
    return float(np.median([t.seconds[key] for t in tables if key in t.seconds])) + 0.05


def main() -> None:
    """Measure, or order what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    first = actions.add_parser("measure")
    first.add_argument("work", type=Path)
    first.add_argument("tables", nargs="+")
    first.add_argument("--task", required=True)
    first.add_argument("--candidates", type=Path, required=True)
    first.add_argument("--folds", type=int, default=5)
    second = actions.add_parser("order")
    second.add_argument("work", type=Path, nargs="+")
    second.add_argument("--length", type=int, default=20)
    args = parser.parse_args()
    if args.action == "measure":
        measure(args.work, args.tables, task=args.task, listed=args.candidates, folds=args.folds)
        return
    rng = np.random.default_rng(0)
    tables = [load(run, rng) for folder in args.work for run in sorted(folder.glob("*/")) if (run / "run.db").exists()]
    entries = {key: entry for table in tables for key, entry in table.entries.items()}
    for key, value in order(tables, args.length):
        candidate, *params = entries[key].items()
        listed = ", ".join(f"{name} = {_toml(value)}" for name, value in params)
        print(f'\n[[configuration]]  # {value:.3f}\ncandidate = "{candidate[1]}"\nparams = {{ {listed} }}')


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else repr(value)


if __name__ == "__main__":
    main()
