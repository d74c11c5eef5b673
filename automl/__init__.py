"""Data and a budget in, the best model they can buy out.

>>> import automl
>>> result = automl.search(task="image-clf", budget="2min")  # doctest: +SKIP
>>> result.model.predict(images)  # doctest: +SKIP
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in typing, which alone takes longer to load than all of this
if TYPE_CHECKING:
    from automl.api import Evaluation, Model, SearchResult, evaluate, export, load_model, resume, search

__version__ = "0.1.0"
__all__ = [
    "Evaluation", "Model", "SearchResult", "__version__", "evaluate", "export", "load_model", "resume", "search",
]  # fmt: skip


def __getattr__(name: str) -> object:
    """Load the public names on first use, so that `import automl` costs nothing."""
    if name in __all__:
        from automl import api

        return getattr(api, name)
    raise AttributeError(f"module 'automl' has no attribute {name!r}. Public names: {', '.join(__all__)}.")
