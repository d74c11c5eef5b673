"""From a request to the first event of a run: everything is resolved and checked before a file is written."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from automl import registry
from automl.controller import Brains
from automl.core.budget import Budget
from automl.core.events import RunStarted
from automl.core.folds import make_folds
from automl.core.job import Cost
from automl.core.metrics import metric
from automl.core.plan import Purse, make_plan
from automl.core.protocols import Candidate, DataSource, Scheduler, Searcher, Task
from automl.core.request import SearchRequest
from automl.core.seeds import stream
from automl.core.space import Configuration, SearchSpace
from automl.data.folder import DataFolder
from automl.data.image_prepare import Wanted
from automl.data.roles import Roles
from automl.data.sources import Opened, open_source, prepare_test
from automl.errors import MachineError, UserError
from automl.run.available import absent_findings, chosen_candidates, image_side
from automl.run.devices import Slots, choose_slots, visible_gpus
from automl.run.folder import RunFolder, unused
from automl.run.folding import TIME_REFIT, choose_folds
from automl.run.tracking import absolute_uri, without_credentials
from automl.searchers.portfolio import PortfolioSearcher
from automl.spaces import Found, find, merge, read_portfolio, read_space

PACKAGES = (
    "automl", "numpy", "torch", "scikit-learn", "lightgbm", "xgboost", "optuna", "onnx", "onnxruntime", "pandas",
    "pyarrow", "mlflow",
)  # fmt: skip
DEPLOYS = ("bag", "refit")


@dataclass(frozen=True)
class Setup:
    """A run that is about to begin.

    Attributes:
        folds: (rows,) int8, the fold in which each row is validated.
        test: looked at once, at the end.
        tracking_uri: absolute, with credentials; never written down.
    """

    started: RunStarted
    data: DataSource
    folds: np.ndarray
    slots: Slots
    test: DataFolder | None
    tracking_uri: str


@dataclass(frozen=True)
class Resolved:
    """A request whose names are all known; nothing was read but space files."""

    request: SearchRequest
    budget: Budget
    task: Task
    metric: str
    slots: Slots
    found: Found
    space: SearchSpace

    @property
    def candidates(self) -> tuple[str, ...]:
        """Return the names of the candidates in force."""
        return tuple(self.space.candidates)


def resolve(request: SearchRequest) -> Resolved:
    """Resolve and check every name, number and space file of a request.

    Raises:
        UserError: anything the user can mend.
    """
    budget = Budget.parse(request.budget)
    _check(request)
    task: Task = registry.resolve("task", request.task)
    chosen = _metric(request, task)
    slots = choose_slots(request, budget, gpus_there=visible_gpus())
    found, space = _space(request, task)
    return Resolved(request, budget, task, chosen, slots, found, space)


def prepare(resolved: Resolved, data: Any = None, test: Any = None) -> Setup:
    """Read the data and decide what is fixed for the whole run; no file is written but in the data cache.

    Args:
        resolved: the request.
        data: arrays (X, y) in memory, instead of the request's data.
        test: likewise, instead of the request's test set.

    Raises:
        DataError: nothing can be learned from the data.
    """
    request, task, slots, space = resolved.request, resolved.task, resolved.slots, resolved.space
    wanted = Wanted(max_side=image_side(task, resolved.candidates))
    opened = open_source(request.data if data is None else data, task, roles=Roles.of(request), wanted=wanted)
    chosen = _metric_of(resolved, opened.data)
    source, tested = opened.data, _open_test(request.test if test is None else test, opened.data)
    findings = (*opened.findings, *(tested.findings if tested else ()), *absent_findings(request))
    if source.spec.split == "time":
        request, findings = replace(request, deploy="refit"), (*findings, TIME_REFIT)
    tracking_uri = absolute_uri(request.tracking_uri, Path.cwd())
    folds = choose_folds(source, request.folds, budget=resolved.budget, slots=slots.count)
    started = RunStarted(
        name=request.name or f"{request.task}-{source.spec.name}-{time.strftime('%Y%m%d-%H%M%S')}",
        request=_journaled(request, tracking_uri),
        seed=request.seed,
        spec=source.spec,
        findings=findings,
        spaces=resolved.found.texts,
        space_origins=resolved.found.origins,
        space_sha256=space.sha256(),
        portfolio=_portfolio(resolved.found, space, task, rows=source.spec.rows),
        versions=versions(),
        wall_started=time.time(),
        metric=chosen,
        folds=folds,
        slots=slots.count,
        device=slots.device,
        data_folder=str(source.folder.resolve()),
        test_folder=str(tested.data.folder.resolve()) if tested else "",
        test_rows=tested.data.spec.rows if tested else 0,
    )
    folds_of_rows = fold_of_rows(started, source)
    return Setup(started, source, folds_of_rows, slots, tested.data if tested else None, tracking_uri)


def fold_of_rows(started: RunStarted, data: DataSource) -> np.ndarray:
    """Return the fold in which each row is validated, (rows,) int8; the same for the same seed."""
    split = data.spec.split
    groups = None if split == "stratified" or data.groups is None else np.asarray(data.groups)
    return make_folds(np.asarray(data.y), started.folds, stream(started.seed, "folds"), split=split, groups=groups)


def brains(started: RunStarted, searcher: Searcher, scheduler: Scheduler) -> Brains:
    """Return what the controller of a run thinks with, from its first event alone."""
    space = SearchSpace({n: read_space(t, started.space_origins[n]) for n, t in started.spaces.items()})
    candidates: dict[str, Candidate] = {n: registry.candidate(started.request.task, n) for n in space.candidates}
    rows = started.spec.rows - started.spec.rows // started.folds

    def _estimate(configuration: Configuration) -> Cost:
        return candidates[configuration.candidate].estimate(started.spec, configuration, rows)

    is_timed = Budget.parse(started.request.budget).is_timed
    probed = frozenset(n for n, c in candidates.items() if c.is_probed and is_timed)
    return Brains(space, searcher, scheduler, _estimate, probed)


def default_brains(started: RunStarted) -> Brains:
    """Return the brains with the searcher and scheduler the request names."""
    is_greater = metric(started.metric).greater_is_better
    searcher = registry.resolve("searcher", started.request.searcher)(greater_is_better=is_greater)
    portfolio = PortfolioSearcher(started.portfolio, then=searcher)
    scheduler = registry.resolve("scheduler", started.request.scheduler)(greater_is_better=is_greater)
    return brains(started, portfolio, scheduler)


def slots_again(started: RunStarted) -> Slots:
    """Return the workers of a run that is taken up on this machine.

    Raises:
        MachineError: the run uses GPUs and none is visible here.
    """
    gpus = visible_gpus() if started.device == "gpu" else 0
    if started.request.gpus is not None:
        gpus = min(gpus, started.request.gpus)
    if started.device == "gpu" and gpus == 0:
        raise MachineError(f"run {started.name} uses GPUs and {gpus} are visible here. Resume it where one is.")
    return Slots(started.device, started.slots, gpus)


def preview(started: RunStarted, purse: Purse) -> tuple[dict[str, int], dict[str, Cost]]:
    """Return the full steps and costs that estimates alone suggest, for a dry run."""
    thinking = default_brains(started)
    spaces = thinking.space.candidates
    costs = {n: thinking.estimate(s.default()) for n, s in spaces.items()}
    plan = make_plan({n: s.steps for n, s in spaces.items()}, costs, folds=started.folds, purse=purse)
    return plan.full_steps, plan.costs


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that shape a result, where installed."""
    known = {"python": sys.version.split()[0]}
    for name in PACKAGES:
        try:
            known[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return known


def _check(request: SearchRequest) -> None:
    """Check the numbers and words that nothing else checks, and that the run folder is free.

    Raises:
        UserError: one of them cannot be used.
    """
    for flag, number, least in (("folds", request.folds, 2), ("workers", request.workers, 1), ("gpus", request.gpus, 0),
                                ("seed", request.seed, 0)):  # fmt: skip
        if number is not None and (not isinstance(number, int) or number < least):
            raise UserError(f"--{flag} {number!r}: a whole number of at least {least} is needed.")
    if request.max_latency_ms is not None and not request.max_latency_ms > 0:
        raise UserError(f"--max-latency-ms {request.max_latency_ms}: milliseconds above zero are needed.")
    if request.deploy not in DEPLOYS:
        raise UserError(f"--deploy {request.deploy}: one of {', '.join(DEPLOYS)} is needed.")
    if request.out:
        RunFolder(Path(request.out)).check()


def _journaled(request: SearchRequest, tracking_uri: str) -> SearchRequest:
    """Return the request as it is written down: its paths mean the same from every folder, and it holds no secret."""
    data, test, vectors, weights = (
        str(Path(path).absolute()) if path else ""
        for path in (request.data, request.test, request.vectors, request.weights)
    )
    uri = without_credentials(tracking_uri)
    return replace(request, data=data, test=test, vectors=vectors, weights=weights, tracking_uri=uri)


def _metric(request: SearchRequest, task: Task) -> str:
    """Return the name of the metric that is asked for, empty where the data decides."""
    if request.metric and request.metric not in task.info.metrics:
        known = ", ".join(task.info.metrics)
        raise UserError(f"--metric {request.metric}: {task.info.name} is scored by one of: {known}.")
    return request.metric


def _metric_of(resolved: Resolved, data: DataSource) -> str:
    """Return the metric that is asked for, or the data's own, after a look whether the data defines it."""
    y = np.asarray(data.y)
    name = resolved.metric or resolved.task.default_metric(data.spec, y)
    resolved.task.check_metric(name, data.spec, y)
    return name


def _space(request: SearchRequest, task: Task) -> tuple[Found, SearchSpace]:
    chosen = chosen_candidates(request, task)
    found = find(request.task, chosen, request.space, like=task.info.spaces)
    return found, merge(found)


def _open_test(test: Any, train: DataFolder) -> Opened | None:
    return None if isinstance(test, str) and not test else prepare_test(test, train)


def _portfolio(found: Found, space: SearchSpace, task: Task, *, rows: int) -> tuple[Configuration, ...]:
    if found.portfolio is None:
        return tuple(s.default() for s in space.candidates.values())
    known = () if task.info.spaces else task.info.candidates  # another task's portfolio may list more
    return read_portfolio(found.portfolio.text, found.portfolio.origin, space, known=known, rows=rows)


def run_path(request: SearchRequest, name: str) -> Path:
    """Return the run folder a request asks for; without a name of the user's, a new one is made.

    Raises:
        RunError: it may not be written.
    """
    if request.out:
        return Path(request.out)
    return Path("runs") / name if request.name else unused(Path("runs") / name)
