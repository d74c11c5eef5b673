"""Where a run is recorded, as the journal keeps it: an absolute address without credentials."""

from __future__ import annotations

import os
from pathlib import Path

from automl.data.cache import cache_root
from automl.errors import UserError
from automl.exporters.pyfunc import pyfunc_files
from automl.recorders.mlflow import Target, redact, resolve_uri
from automl.run.folder import RunFolder

NOWHERE = "none"
VARIABLE = "MLFLOW_TRACKING_URI"
_LEFT_OUT = "***"


def absolute_uri(uri: str, folder: Path) -> str:
    """Return a tracking URI that means the same from every folder.

    >>> absolute_uri("mlruns", Path("/work"))
    '/work/mlruns'
    """
    if uri == NOWHERE:
        return uri
    resolved = resolve_uri(uri, folder)
    return str(folder / resolved) if ":" not in resolved and resolved != "databricks" else resolved


def without_credentials(uri: str) -> str:
    """Return a tracking URI as it may be written down.

    >>> without_credentials("https://ann:s3cret@host/x")
    'https://***@host/x'
    """
    return uri if uri.startswith(("sqlite:", "file:", "/")) else redact(uri)


def with_credentials(uri: str) -> str:
    """Return a written-down URI with its credentials again, which the environment has to name.

    Raises:
        UserError: MLFLOW_TRACKING_URI is not set, or names another place.
    """
    if _LEFT_OUT not in uri:
        return uri
    named = os.environ.get(VARIABLE, "")
    if without_credentials(named) != uri:
        raise UserError(
            f"the run is recorded in {uri}, and credentials are not kept. Set {VARIABLE} to that address with them. "
            f"Got {redact(named) or 'none'}."
        )
    return named


def target_of(uri: str, folder: RunFolder) -> Target | None:
    """Return where a run is recorded, by its absolute address; None where nothing is."""
    if uri == NOWHERE:
        return None
    return Target(uri, folder.path.resolve(), cache_root(), lambda artifact: pyfunc_files(artifact).python_model)
