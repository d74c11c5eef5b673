"""Names to objects: built-ins as lazy "module:attribute" strings, entry points on a miss."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from automl.errors import UserError

_IMAGE = "automl.candidates.image"
BUILT_IN: dict[str, dict[str, str]] = {
    "task": {"image-clf": "automl.tasks.image_clf:TASK"},
    "candidate": {
        "baseline": f"{_IMAGE}.baseline:CANDIDATE",
        "linear": f"{_IMAGE}.linear:CANDIDATE",
        "forest": f"{_IMAGE}.forest:CANDIDATE",
        "gbdt": f"{_IMAGE}.gbdt:CANDIDATE",
        "cnn": f"{_IMAGE}.cnn:CANDIDATE",
        "resnet": f"{_IMAGE}.resnet:CANDIDATE",
    },
    "searcher": {"random": "automl.searchers.random:make", "tpe": "automl.searchers.tpe:make"},
    "scheduler": {"full": "automl.schedulers.full:make", "asha": "automl.schedulers.asha:make"},
    "executor": {"local": "automl.executors.local:make", "inprocess": "automl.executors.inprocess:make"},
    "journal": {"sqlite": "automl.journals.sqlite:SqliteJournal", "memory": "automl.journals.memory:MemoryJournal"},
    "recorder": {"console": "automl.recorders.console:ConsoleRecorder", "none": "automl.recorders.none:NoRecorder"},
    "exporter": {"folder": "automl.exporters.folder:EXPORTER", "onnx": "automl.exporters.onnx:EXPORTER"},
}


def names(group: str) -> list[str]:
    """Return the registered names of a group: built-ins first, then plugins."""
    plugins = sorted(e.name for e in entry_points(group=f"automl.{group}"))
    return [*BUILT_IN[group], *(n for n in plugins if n not in BUILT_IN[group])]


def resolve(group: str, name: str) -> Any:
    """Return the object registered under name.

    Raises:
        UserError: the name is unknown, or a plugin's module or a package it needs is missing.
    """
    target = BUILT_IN[group].get(name)
    if target is None:
        found = [e for e in entry_points(group=f"automl.{group}") if e.name == name]
        if not found:
            raise UserError(_unknown(group, name))
        target = found[0].value
    module, _, attribute = target.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise UserError(f"{group} {name!r} needs the package {error.name!r}. Run: pip install {error.name}") from error


def _unknown(group: str, name: str) -> str:
    known = names(group)
    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"{name!r} is not a {group}.{hint} Known: {', '.join(known)}."
