"""The public functions: search, resume, load_model, and what the commands need beside them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl import registry
from automl.core.budget import Budget
from automl.core.events import RunStarted
from automl.core.leaderboard import Row
from automl.core.leaderboard import leaderboard as ranked
from automl.core.metrics import metric as metric_named
from automl.core.plan import Purse
from automl.core.protocols import Executor, Recorder
from automl.core.request import SearchRequest
from automl.errors import ArtifactError, UserError
from automl.model import Model
from automl.run.result import PlanPreview, SearchResult

__all__ = ["Model", "PlanPreview", "SearchResult", "load_model", "resume", "search"]

DataLike = Any
"""A path, or arrays (X, y) or (X, y, classes)."""


@dataclass(frozen=True)
class Evaluation:
    """A model's score on labelled data, with a 95 % interval and every other metric of its task."""

    metric: str
    score: float
    low: float
    high: float
    metrics: dict[str, float]
    rows: int


def search(data: DataLike = None, *, task: str, budget: str = SearchRequest.budget, **options: Any) -> SearchResult:
    """Find the best model for data within a budget.

    Args:
        data: a path, arrays as (X, y) or (X, y, classes), or None for the task's default data.
        task: as `automl list tasks` names them.
        budget: such as "2min" or "8gpu-h,40trials".
        **options: any other field of `SearchRequest`, such as metric, test, folds, seed, workers, out, tracking_uri.

    Raises:
        UserError: the data, the budget or an option cannot be used; nothing is written.
        SearchFailed: no trial succeeded.

    >>> result = search((X, y), task="image-clf", budget="2min")  # doctest: +SKIP
    >>> result.model.predict(X[:3])  # doctest: +SKIP
    """
    began = time.monotonic()
    unknown = sorted(set(options) - set(SearchRequest.__dataclass_fields__))
    if unknown:
        known = ", ".join(SearchRequest.__dataclass_fields__)
        raise UserError(f"search() has no option {unknown[0]!r}. Known: {known}.")
    arrays = data if isinstance(data, tuple) else None
    path = "" if data is None or arrays is not None else str(data)
    fields: dict[str, Any] = {name: _plain(value) for name, value in options.items()}
    request = SearchRequest(task=task, data=path, budget=budget, **fields)
    return run_search(request, started=began, data=arrays)


def resume(run: Path | str, *, budget: str = "") -> SearchResult:
    """Take up a run that was stopped or killed, with more budget if given.

    Raises:
        RunError: no run, in use, damaged, or finished with no budget added.
    """
    return run_resume(Path(run), budget=budget, started=time.monotonic())


def load_model(model: Path | str, *, expect_sha256: str = "") -> Model:
    """Load a model: a run folder, an artifact folder, or `models:/name@alias` of MLflow's registry.

    Nothing is unpickled and no code of the artifact is run.

    Args:
        model: where it is.
        expect_sha256: what its manifest must hash to.

    Raises:
        ArtifactError: missing, altered or unsafe.
    """
    return Model(artifact_folder(str(model)), expect_sha256=expect_sha256)


def run_search(
    request: SearchRequest, *, started: float, watchers: Sequence[Recorder] = (), data: DataLike = None
) -> SearchResult:
    """Search as a request says; `started` is the monotonic second at which the program began."""
    from automl.run import session, setup

    resolved = setup.resolve(request)
    with session.umask():
        executor = _executor(resolved.request.engine, resolved.slots, resolved.candidates)
        try:
            ready = setup.prepare(resolved, data)
            path = setup.run_path(request, ready.started.name)
            return session.begin(ready, path, executor, began=started, watchers=watchers)
        finally:
            executor.stop()


def run_resume(run: Path, *, budget: str, started: float, watchers: Sequence[Recorder] = ()) -> SearchResult:
    """Take up a run; `started` is the monotonic second at which the program began."""
    from automl.run import session, setup

    def boot(first: RunStarted) -> Executor:
        slots = setup.slots_again(first)
        return _executor(first.request.engine, slots, tuple(first.spaces))

    with session.umask():
        return session.go_on(run, boot, added_budget=budget, began=started, watchers=watchers)


def plan(request: SearchRequest) -> PlanPreview:
    """Return what a search would do, by estimates alone; nothing is trained and no run folder is made."""
    from automl.run import session, setup

    ready = setup.prepare(setup.resolve(request))
    first, budget = ready.started, Budget.parse(request.budget)
    reserve = session.reserve_seconds(budget, is_recorded=request.tracking_uri != "none")
    limits = [s for s in (budget.gpu, budget.cpu, budget.wall and (budget.wall - reserve) * first.slots) if s]
    steps, costs = setup.preview(first, Purse(min(limits, default=float("inf")), reserve, first.slots))
    return PlanPreview(
        spec=first.spec, findings=first.findings, folds=first.folds, slots=first.slots, device=first.device,
        space_origins=first.space_origins, portfolio=first.portfolio, full_steps=steps, costs=costs,
        reserve_seconds=reserve,
    )  # fmt: skip


def leaderboard(run: Path) -> list[Row]:
    """Return the leaderboard of a run, finished or not."""
    from automl.run import session

    history = session.read(run).history
    assert history.started is not None
    return ranked(history, metric_named(history.started.metric))


def evaluate(model: Path | str, data: str, metric: str = "") -> Evaluation:
    """Return a model's score on labelled data.

    Raises:
        UserError: the model, the data or the metric cannot be used.
    """
    from automl.run import session

    loaded = load_model(model)
    return Evaluation(**vars(session.score_data(loaded, data, metric)))


def export(model: Path | str, output: Path, *, format: str = "folder", verify: bool = False) -> Sequence[Path]:  # noqa: A002
    """Write a model somewhere in some form and return the files; with verify, in a fresh process it must agree."""
    from automl.exporters.verify import verify_self

    folder = artifact_folder(str(model))
    files: Sequence[Path] = registry.resolve("exporter", format).export(folder, output)
    if verify:
        verify_self(folder)
    return files


def report(run: Path) -> Path:
    """Write the page about a run anew and return its path."""
    from automl.run import pages

    return pages.rewrite(run)


def sync(run: Path) -> str:
    """Bring MLflow up to date with a run's journal and return one line about it."""
    from automl.run import pages

    return pages.sync(run)


def artifact_folder(model: str, tracking_uri: str = "") -> Path:
    """Return the artifact folder that a model's name means.

    Raises:
        ArtifactError: there is none.
    """
    if model.startswith("models:/"):
        from automl.recorders.mlflow import artifact_of, resolve_uri

        return artifact_of(model, resolve_uri(tracking_uri, Path.cwd()))
    path = Path(model)
    for folder in (path, path / "artifact"):
        if (folder / "manifest.json").is_file():
            return folder
    what = (
        "holds no model (no manifest.json)"
        if path.is_dir()
        else "is not a model folder"
        if path.exists()
        else "not found"
    )
    raise ArtifactError(f"{model}: {what}. Name a run folder, an artifact folder or models:/NAME@champion.")


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else tuple(value) if isinstance(value, list) else value


def _executor(engine: str, slots: Any, candidates: Sequence[str]) -> Executor:
    from automl.run import setup

    name = "local" if engine == "auto" else engine
    executor: Executor = registry.resolve("executor", name)(slots.count, gpus=slots.gpus)
    executor.warm(setup.preload(candidates))
    return executor
