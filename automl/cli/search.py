"""Find the best model for a data set within a budget.

For images DATA is a folder with one sub-folder per class, a zip or tar of one, or an .npz with X and y; for tables it
is a CSV, TSV, JSONL or Parquet file with a header. Without DATA a small real data set is used. Progress goes to stderr,
the result to stdout. Ctrl-C ends the search and keeps the best model so far; a killed run goes on with `automl resume`.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from typing import TYPE_CHECKING

from automl.cli.parser import CommandParser, above_zero, check_known, column, names, not_empty, one_of, whole
from automl.errors import UserError

if TYPE_CHECKING:
    from automl.core.request import SearchRequest
    from automl.core.task import TaskInfo

EXAMPLES = """
automl search --task image-clf --budget 2min
automl search flowers/ --task image-clf --budget 1gpu-h --test flowers-test/
automl search flowers.zip --task image-clf --budget 30min,40trials --metric macro_f1 --include cnn,resnet
automl search churn.csv --task tabular-clf --target Churn --drop customerID --budget 5min
automl search rides.parquet --task tabular-reg --target fare --split-time pickup --test rides-june.parquet
automl search flowers/ --task image-clf --dry-run
"""
INTERRUPTED = 130
DEFAULT_BUDGET = "10min"
_BUDGET = (
    "NUMBER UNIT, joined by commas; units gpu-h gpu-min gpu-s cpu-h cpu-min cpu-s h min s trials (default: %(default)s)"
)


def add_arguments(parser: CommandParser) -> None:
    """Add the arguments of `automl search`."""
    _add_what(parser)
    _add_roles(parser)
    _add_how(parser)
    _add_where(parser)


def _add_what(parser: CommandParser) -> None:
    what = parser.add_argument_group("what to learn")
    what.add_argument("place", metavar="DATA", nargs="?", type=not_empty, help="the data (also as --data)")
    what.add_argument("--data", metavar="DATA", type=not_empty, help="the data")
    what.add_argument("--task", help="what is to be learned; needed; see automl list tasks")
    what.add_argument("--test", metavar="DATA", default="", help="a test set, looked at once, at the end")
    what.add_argument(
        "--metric", default="", help="what a good model is; see automl list metrics (default: by task and data)"
    )


def _add_roles(parser: CommandParser) -> None:
    roles = parser.add_argument_group("columns of a table, of texts, or of series")
    roles.add_argument("--text", type=column, metavar="COL",
                       help="the column of text to learn from (default: the only one beside the target)")  # fmt: skip
    roles.add_argument("--target", type=column, metavar="COL",
                       help="the column to predict (default: the one named target, label, class or y)")  # fmt: skip
    roles.add_argument("--drop", type=names, default=(), metavar="COL,...", help="columns that are not looked at")
    roles.add_argument("--sample-weight", type=column, metavar="COL",
                       help="the weight of each row in training; no feature")  # fmt: skip
    roles.add_argument("--positive", type=column, metavar="LABEL",
                       help="the one of two labels that is looked for (default: the last in order)")  # fmt: skip
    roles.add_argument("--group", type=column, metavar="COL",
                       help="rows of equal value stay in one fold; no feature")  # fmt: skip
    roles.add_argument("--split-time", type=column, metavar="COL",
                       help="validate on later rows than were trained on, by this date or number")  # fmt: skip
    roles.add_argument("--series-id", type=column, metavar="COL",
                       help="the series that a row is a step of, for a table of steps")  # fmt: skip
    roles.add_argument("--series-time", type=column, metavar="COL",
                       help="orders the steps of a series (default: as they come)")  # fmt: skip


def _add_how(parser: CommandParser) -> None:
    how = parser.add_argument_group("how to search")
    how.add_argument("--budget", default=DEFAULT_BUDGET, help=_BUDGET)
    how.add_argument("--folds", type=whole(2), metavar="K", help="folds of the cross-validation (default: by size)")
    how.add_argument("--seed", type=whole(0), default=0, metavar="N", help="the one seed (default: %(default)s)")
    how.add_argument("--workers", type=whole(1), metavar="N", help="worker processes (default: one per core or GPU)")
    how.add_argument("--gpus", type=whole(0), metavar="N", help="GPUs to use (default: all that are visible)")
    how.add_argument("--engine", default="auto", help="what runs the trials: auto or local (default: %(default)s)")
    how.add_argument(
        "--space", action="append", default=[], metavar="PATH", help="a search-space file or folder; may be repeated"
    )
    how.add_argument("--include", type=names, default=(), metavar="C,...", help="only these candidates")
    how.add_argument("--exclude", type=names, default=(), metavar="C,...", help="all but these candidates")
    how.add_argument("--vectors", metavar="FILE", type=not_empty,
                     help="word vectors to start from, in the text format of GloVe or fastText")  # fmt: skip
    how.add_argument("--weights", metavar="DIR", type=not_empty,
                     help="a folder of pre-trained weights, as transformers lays it out")  # fmt: skip
    how.add_argument("--deploy", type=one_of("bag", "refit"), default="bag", metavar="bag|refit",
                     help="keep the models of the folds, or train once on all rows (default: %(default)s)")  # fmt: skip
    how.add_argument(
        "--max-latency-ms", type=above_zero, metavar="X", help="the slowest prediction of one row that may win"
    )


def _add_where(parser: CommandParser) -> None:
    where = parser.add_argument_group("where it goes")
    where.add_argument("--name", default="", help="name of the run (default: by task, data and time)")
    where.add_argument("--out", default="", metavar="DIR", help="run folder (default: runs/NAME)")
    where.add_argument("--tracking-uri", default="", metavar="URI|none",
                       help="MLflow's store (default: sqlite:///mlflow.db in the working directory)")  # fmt: skip
    where.add_argument(
        "--dry-run", action="store_true", help="show what was detected, the plan and the reserve, and stop"
    )
    add_output_arguments(where)


def add_output_arguments(group: argparse._ActionsContainer) -> None:
    """Add `--json` and `--quiet`."""
    group.add_argument("--json", action="store_true", help="print one JSON object as the last line of stdout")
    group.add_argument("--quiet", action="store_true", help="no progress on stderr, only warnings")


def run(args: argparse.Namespace) -> int:
    """Search, tell the outcome, and return the exit code."""
    request = build_request(args)
    from automl import api
    from automl.cli import outcome
    from automl.recorders.console import ConsoleRecorder

    if args.dry_run:
        outcome.show_plan(api.plan(request), request.budget, as_json=args.json)
        return 0
    console = ConsoleRecorder(quiet=args.quiet, started=args.started)
    with contextlib.closing(console):
        result = api.run_search(request, started=args.started, watchers=(console,))
    outcome.show(result, as_json=args.json)
    sys.stdout.flush()
    return INTERRUPTED if result.status == "interrupted" else 0


def build_request(args: argparse.Namespace) -> SearchRequest:
    """Return what the arguments ask for.

    Raises:
        UserError: data given twice, a malformed budget, a column for what is no table, or an unknown task, engine,
            metric or candidate.
    """
    from automl.core.budget import Budget
    from automl.core.request import SearchRequest

    if args.place and args.data:
        raise UserError(f"--data {args.data!r}: the data is given once. Got {args.place!r} as well. Leave one out.")
    Budget.parse(args.budget)
    _check_names(args)
    known = SearchRequest.__dataclass_fields__
    fields = {name: value for name, value in vars(args).items() if name in known and value is not None}
    return SearchRequest(**{**fields, "data": args.place or args.data or "", "space": tuple(args.space)})


def _check_names(args: argparse.Namespace) -> None:
    from automl import registry

    tasks = registry.names("task")
    if not args.task:
        raise UserError(f"--task is missing. See automl search --help. Known: {', '.join(tasks)}.")
    check_known("--task", args.task, tasks)
    check_known("--engine", args.engine, ["auto", *registry.names("executor")])
    info = registry.resolve("task", args.task).info
    _check_roles(args, info)
    if args.metric:
        check_known("--metric", args.metric, info.metrics)
    known = registry.candidates(args.task)
    for flag, chosen in (("--include", args.include), ("--exclude", args.exclude)):
        for name in chosen:
            check_known(flag, name, known)
    both = set(args.include) & set(args.exclude)
    if both:
        raise UserError(f"--exclude {min(both)!r}: it is included too. Take it out of --include or --exclude.")


def _check_roles(args: argparse.Namespace, info: TaskInfo) -> None:
    """Refuse flags about columns that rows of the task do not have."""
    for flag, kinds in _FLAG_KINDS.items():
        value = getattr(args, flag.strip("-").replace("-", "_"))
        if value and info.kind not in kinds:
            shown = value if isinstance(value, str) else ",".join(value)
            rows = " and ".join(_ROWS[kind] for kind in kinds)
            raise UserError(
                f"{flag} {shown!r}: it is for {rows}, and {args.task} is about {_ROWS[info.kind]}. Leave it out."
            )


_ROWS = {"image": "images", "table": "tables", "text": "texts", "series": "series"}
_COLUMNS = ("table", "text", "series")
_FLAG_KINDS: dict[str, tuple[str, ...]] = {
    "--target": _COLUMNS, "--drop": _COLUMNS, "--sample-weight": _COLUMNS, "--positive": _COLUMNS, "--group": _COLUMNS,
    "--split-time": _COLUMNS, "--text": ("text",), "--series-id": ("series",), "--series-time": ("series",),
    "--vectors": ("text",), "--weights": ("image", "text"),
}  # fmt: skip
"""Flag → the kinds of rows it is for."""
