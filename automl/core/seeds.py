"""Random streams, each derived from the run's seed and a name."""

from __future__ import annotations

import hashlib

import numpy as np

Part = int | str


def derive(seed: int, *parts: Part) -> int:
    """Return a 63-bit seed for the stream named by parts.

    The stream of (trial, fold, step) depends on nothing else: not on the order of jobs, nor on the machine.

    >>> derive(0, "trial", 3) == derive(0, "trial", 3) != derive(0, "trial", 4)
    True
    """
    name = "/".join([str(seed), *map(str, parts)])
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


def stream(seed: int, *parts: Part) -> np.random.Generator:
    """Return a generator for the stream named by parts."""
    return np.random.default_rng(derive(seed, *parts))
