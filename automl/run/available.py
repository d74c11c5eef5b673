"""Which candidates can be tried here: packages that are missing and weights that lie nowhere leave some out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from automl import registry
from automl.core.data import Finding
from automl.core.protocols import Candidate, Pretrained, Task
from automl.core.request import SearchRequest
from automl.data.image_prepare import LARGE_SIDE, SMALL_SIDE
from automl.errors import UserError

DISTRIBUTIONS = {"sklearn": "scikit-learn"}
"""Modules whose package has another name."""


def chosen_candidates(request: SearchRequest, task: Task) -> list[str]:
    """Return the names of the candidates in force: asked for or not excluded, and able to run here.

    Raises:
        UserError: a name is unknown, or none is left.
    """
    known = registry.candidates(request.task)
    for flag, names in (("--include", request.include), ("--exclude", request.exclude)):
        for name in names:
            if name not in known:
                raise UserError(f"{flag} {name}: not a candidate of {task.info.name}. Known: {', '.join(known)}.")
    chosen = [n for n in known if (not request.include or n in request.include) and n not in request.exclude]
    absent = _absent(request, [name for name in chosen if name not in request.include])
    if not set(chosen) - set(absent):
        raise UserError(f"--exclude {','.join(request.exclude)}: no candidate is left. Known: {', '.join(known)}.")
    return [name for name in chosen if name not in absent]


def absent_findings(request: SearchRequest) -> list[Finding]:
    """Tell the candidates that nobody named and that cannot run here, and what would bring them in."""
    if request.include:
        return []
    names = [name for name in registry.candidates(request.task) if name not in request.exclude]
    return [
        Finding("candidate-left-out", "info", f"candidate {name} is left out: {why}")
        for name, why in _absent(request, names).items()
    ]


def preload(request: SearchRequest, candidates: Sequence[str]) -> tuple[str, ...]:
    """Return the modules worth importing before workers are forked.

    Raises:
        UserError: a candidate needs a package that is not installed, or weights that lie nowhere.
    """
    wanted: dict[str, None] = {"automl.run.work": None, "automl.data.folder": None}
    for name in candidates:
        candidate: Candidate = registry.candidate(request.task, name)
        why = _lacks(candidate, resources(request))
        if why:
            raise UserError(f"candidate {name}: {why}, or --exclude {name}.")
        wanted |= dict.fromkeys(candidate.requires)
    return tuple(wanted)


def resources(request: SearchRequest) -> Mapping[str, Path]:
    """Return what the user named beside the data, as in `Context.resources`."""
    named = {"vectors": request.vectors, "weights": request.weights}
    return {name: Path(path) for name, path in named.items() if path}


def _absent(request: SearchRequest, names: Sequence[str]) -> dict[str, str]:
    """Return which of these candidates cannot run here, and why."""
    beside = resources(request)
    reasons = {name: _lacks(registry.candidate(request.task, name), beside) for name in names}
    return {name: why for name, why in reasons.items() if why}


def _lacks(candidate: Candidate, beside: Mapping[str, Path]) -> str:
    """Return what a candidate lacks and how to get it; empty if it can run."""
    for module in candidate.requires:
        top = module.partition(".")[0]
        if find_spec(top) is None:
            return f"it needs {module!r}. To use it: pip install {DISTRIBUTIONS.get(top, top)}"
    return candidate.lacks(beside) if isinstance(candidate, Pretrained) else ""


def image_side(task: Task, candidates: Sequence[str]) -> int:
    """Return the pixels that the longer side of an image keeps: more if a candidate was pre-trained on large ones."""
    known = (registry.candidate(task.info.name, name) for name in candidates)
    return LARGE_SIDE if any(isinstance(candidate, Pretrained) for candidate in known) else SMALL_SIDE
