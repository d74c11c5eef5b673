"""What serving/ refuses, as an error of this package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from automl.errors import DataError
from automl.serving.errors import InputError


@contextmanager
def data_errors() -> Iterator[None]:
    """Turn what serving/ refuses into a DataError with the same words."""
    try:
        yield
    except InputError as error:
        raise DataError(f"{error}") from error
