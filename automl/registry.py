"""Names to objects: built-ins as lazy "module:attribute" strings, entry points on a miss."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from automl.errors import UserError

BUILT_IN: dict[str, dict[str, str]] = {
    "task": {
        "image-clf": "automl.tasks.image_clf:TASK",
        "tabular-clf": "automl.tasks.tabular_clf:TASK",
        "tabular-reg": "automl.tasks.tabular_reg:TASK",
        "text-clf": "automl.tasks.text_clf:TASK",
        "sequence-clf": "automl.tasks.sequence_clf:TASK",
    },
    "candidate": {
        f"{kind}/{name}": f"automl.candidates.{kind}.{name.replace('-', '_')}:CANDIDATE"
        for kind, listed in {
            "image": "baseline linear forest gbdt cnn resnet efficientnet efficientnet-tuned",
            "tabular": "baseline linear knn forest gbdt xgboost mlp tabm",
            "text": "baseline naive-bayes tfidf-linear bag cnn rnn transformer static-embeddings minilm",
            "sequence": "baseline summary-gbdt rocket hydra inception rnn transformer",
        }.items()
        for name in listed.split()
    },
    "searcher": {"random": "automl.searchers.random:make", "tpe": "automl.searchers.tpe:make"},
    "scheduler": {"full": "automl.schedulers.full:make", "asha": "automl.schedulers.asha:make"},
    "executor": {"local": "automl.executors.local:make", "inprocess": "automl.executors.inprocess:make"},
    "journal": {"sqlite": "automl.journals.sqlite:SqliteJournal", "memory": "automl.journals.memory:MemoryJournal"},
    "recorder": {"console": "automl.recorders.console:ConsoleRecorder", "none": "automl.recorders.none:NoRecorder"},
    "exporter": {"folder": "automl.exporters.folder:EXPORTER", "onnx": "automl.exporters.onnx:EXPORTER"},
}


_FOLDERS = {"image": "image", "table": "tabular", "text": "text", "series": "sequence"}
"""What a row is → where its candidates are."""


def names(group: str) -> list[str]:
    """Return the registered names of a group: built-ins first, then plugins."""
    plugins = sorted(e.name for e in entry_points(group=f"automl.{group}"))
    return [*BUILT_IN[group], *(n for n in plugins if n not in BUILT_IN[group])]


def resolve(group: str, name: str) -> Any:
    """Return the object registered under name.

    Raises:
        UserError: the name is unknown, or a plugin's module or a package it needs is missing.
    """
    module, _, attribute = _target(group, name).partition(":")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise UserError(f"{group} {name!r} needs the package {error.name!r}. Run: pip install {error.name}") from error


def candidate(task: str, name: str) -> Any:
    """Return a candidate of a task. Built-in ones may share a name among kinds of data, such as `linear`.

    Raises:
        UserError: as `resolve`.
    """
    return resolve("candidate", _own(task, name))


def module_of(task: str, name: str) -> str:
    """Return the module that defines a candidate of a task.

    Raises:
        UserError: as `resolve`.
    """
    return _target("candidate", _own(task, name)).partition(":")[0]


def candidates(task: str) -> list[str]:
    """Return the names of a task's candidates: its own in their order, then those of plugins that serve it."""
    own = list(resolve("task", task).info.candidates)
    plugins = [n for n in names("candidate") if n not in BUILT_IN["candidate"] and n not in own]
    return [*own, *(n for n in plugins if task in resolve("candidate", n).tasks)]


def _own(task: str, name: str) -> str:
    """Return what a candidate is registered as: built-in ones by the kind of data, those of plugins by their name."""
    own = f"{_FOLDERS[resolve('task', task).info.kind]}/{name}"
    return own if own in BUILT_IN["candidate"] else name


def _target(group: str, name: str) -> str:
    """Return "module:attribute" of a registered name."""
    if name in BUILT_IN[group]:
        return BUILT_IN[group][name]
    found = [e for e in entry_points(group=f"automl.{group}") if e.name == name]
    if not found:
        raise UserError(_unknown(group, name))
    return found[0].value


def _unknown(group: str, name: str) -> str:
    known = names(group)
    near = get_close_matches(name, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"{name!r} is not a {group}.{hint} Known: {', '.join(known)}."
