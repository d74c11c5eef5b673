"""What deciding costs: whole searches in a simulated world, no training, the journal in memory.

    python tests/bench/bench_simulated.py [--trials 500 1000 10000] [--searchers random tpe] [--slots 8]

`ask` is the searcher's time per trial, `decide` all else: scheduler, ledger, history, run loop.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from dataclasses import dataclass

import numpy as np

from automl import registry
from automl.core.history import History
from automl.core.protocols import Searcher
from automl.core.space import Configuration, SearchSpace
from automl.testing.worlds import CurveWorld, Sampling, Scenario


@dataclass
class Timed:
    """A searcher that notes how long it was asked."""

    searcher: Searcher
    seconds: float = 0.0

    def ask(self, space: SearchSpace, history: History, rng: np.random.Generator) -> Configuration:
        """Ask the searcher."""
        began = time.process_time()
        configuration = self.searcher.ask(space, history, rng)
        self.seconds += time.process_time() - began
        return configuration


def searcher(name: str) -> Searcher:
    """Return a registered searcher without a portfolio, or plain draws for `sampling`."""
    if name == "sampling":
        return Sampling()
    return registry.resolve("searcher", name)(greater_is_better=True)


def row(name: str, trials: int, slots: int) -> str:
    """Return one line of the table."""
    timed = Timed(searcher(name))
    began = time.process_time()
    run = Scenario(CurveWorld(), f"{trials}trials", slots, searcher=timed).play()
    seconds = time.process_time() - began
    decide, ask = 1000 * (seconds - timed.seconds) / trials, 1000 * timed.seconds / trials
    return f"{name:10} {trials:7} {run.history.jobs:7} {seconds:9.2f} {ask:12.3f} {decide:15.3f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, nargs="+", default=[500, 1000, 10_000])
    parser.add_argument("--searchers", nargs="+", default=["sampling", "random", "tpe"])
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--profile", action="store_true", help="show where the time goes instead")
    args = parser.parse_args()
    if args.profile:
        with cProfile.Profile() as profile:
            row(args.searchers[0], args.trials[0], args.slots)
        pstats.Stats(profile).sort_stats("tottime").print_stats(18)
        return
    print("searcher    trials    jobs     CPU-s   ask ms/trial  decide ms/trial")
    for name in args.searchers:
        for trials in args.trials:
            print(row(name, trials, args.slots), flush=True)


if __name__ == "__main__":
    main()
