"""What is left to try, and draws that avoid what was tried."""

from __future__ import annotations

import numpy as np

from automl.core.history import History
from automl.core.space import Configuration, SearchSpace

DRAWS = 100
"""Random draws before a repetition is accepted; they all but surely find what is left of a small finite space."""


def is_tried(configuration: Configuration, history: History) -> bool:
    """Whether a trial of this configuration was started."""
    return configuration.key() in history.tried.get(configuration.candidate, ())


def open_space(space: SearchSpace, history: History) -> SearchSpace:
    """Return space without the candidates that have nothing to choose and were tried; all of it if none is left."""
    left = {name: s for name, s in space.candidates.items() if s.params or name not in history.tried}
    return SearchSpace(left) if left else space


def draw(space: SearchSpace, history: History, rng: np.random.Generator) -> Configuration:
    """Return a random configuration, one that was not tried as far as DRAWS draws can tell."""
    left = open_space(space, history)
    proposed = left.sample(rng)
    for _ in range(DRAWS):
        if not is_tried(proposed, history):
            break
        proposed = left.sample(rng)
    return proposed
