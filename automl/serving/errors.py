"""What goes wrong between a user's file and numbers; one line each: name, rule, value, what to do.

ServingError            anything this folder raises on purpose
├── InputError          the data that was handed over
└── ModelError          the model folder that was handed over
"""

from __future__ import annotations


class ServingError(ValueError):
    """A file that was handed over cannot be used."""


class InputError(ServingError):
    """The data cannot be turned into rows."""


class ModelError(ServingError):
    """A model folder is missing, altered or unsafe."""
