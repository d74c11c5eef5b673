"""Data and a budget in, the best model they can buy out.

>>> import automl
>>> result = automl.search(task="image-clf", budget="2min")  # doctest: +SKIP
>>> result.model.predict(images)  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from automl.api import SearchResult, load_model, resume, search

__version__ = "0.1.0"
__all__ = ["SearchResult", "__version__", "load_model", "resume", "search"]


def __getattr__(name: str) -> object:
    """Load the public names on first use, so that `import automl` costs nothing."""
    if name in __all__:
        from automl import api

        return getattr(api, name)
    raise AttributeError(f"module 'automl' has no attribute {name!r}. Public names: {', '.join(__all__)}.")
