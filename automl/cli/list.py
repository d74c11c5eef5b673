"""List tasks, candidates, search spaces or metrics."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from automl.cli.parser import CommandParser, check_known, one_of

EXAMPLES = """
automl list tasks
automl list candidates --task image-clf
automl list spaces --task image-clf --format json
"""
Row = dict[str, Any]


def add_arguments(parser: CommandParser) -> None:
    """Add the arguments of `automl list`."""
    kinds = tuple(_ROWS)
    parser.add_argument("kind", type=one_of(*kinds), metavar="WHAT", help=", ".join(kinds))
    parser.add_argument("--task", default="", help="of this task only")
    parser.add_argument("--format", type=one_of("table", "json"), default="table", metavar="table|json",
                        help="how to print it (default: %(default)s)")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Print the list."""
    from automl import registry

    tasks = registry.names("task")
    if args.task:
        tasks = [check_known("--task", args.task, tasks)]
    rows = _ROWS[args.kind]([registry.resolve("task", name).info for name in tasks])
    sys.stdout.write(render(rows, args.format))
    return 0


def render(rows: Sequence[Row], form: str) -> str:
    """Return the rows as a JSON list or a table; lists inside are joined by blanks in the table."""
    if form == "json":
        return json.dumps(rows) + "\n"
    if not rows:
        return "nothing\n"
    from automl.cli.text import columns

    return columns(list(rows[0]), [[_cell(key, value) for key, value in row.items()] for row in rows]) + "\n"


def _tasks(infos: Sequence[Any]) -> list[Row]:
    return [{"task": i.name, "metric": i.metrics[0], "data": i.default_data or "required", "summary": i.summary}
            for i in infos]  # fmt: skip


def _candidates(infos: Sequence[Any]) -> list[Row]:
    from automl import registry
    from automl.core.protocols import Pretrained

    rows = []
    for info in infos:
        for name in registry.candidates(info.name):
            candidate = registry.candidate(info.name, name)
            missing = [package for package in candidate.requires if find_spec(package.partition(".")[0]) is None]
            if isinstance(candidate, Pretrained) and candidate.lacks({}):
                missing.append("weights")
            rows.append({"task": info.name, "candidate": name, "requires": list(candidate.requires),
                         "missing": missing, "summary": _claim(registry.module_of(info.name, name))})  # fmt: skip
    return rows


def _claim(module: str) -> str:
    """Return the first line of the module that defines a candidate."""
    words = (sys.modules[module].__doc__ or "").strip()
    return words.splitlines()[0].rstrip(".") if words else ""


def _spaces(infos: Sequence[Any]) -> list[Row]:
    from automl import registry
    from automl.core.space import describe
    from automl.spaces.found import find, merge

    rows = []
    for info in infos:
        found = find(info.name, registry.candidates(info.name), like=info.spaces)
        for name, space in merge(found).candidates.items():
            for parameter, value in space.params.items():
                rows.append({"task": info.name, "candidate": name, "parameter": parameter, "range": describe(value),
                             "default": value.default, "when": {k: list(v) for k, v in value.when.items()},
                             "source": space.source, "file": found.origins[name]})  # fmt: skip
    return rows


def _metrics(infos: Sequence[Any]) -> list[Row]:
    from automl.core.metrics import METRICS

    return [{"metric": m.name, "better": "greater" if m.greater_is_better else "less", "needs": m.needs,
             "tasks": [i.name for i in infos if m.name in i.metrics]}
            for m in METRICS.values() if any(m.name in i.metrics for i in infos)]  # fmt: skip


def _cell(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return "; ".join(f"{key} is {' or '.join(map(str, allowed))}" for key, allowed in value.items())
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value) if key == "default" else value


_ROWS = {"tasks": _tasks, "candidates": _candidates, "spaces": _spaces, "metrics": _metrics}
