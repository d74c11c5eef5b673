"""The public functions: search, resume, load_model, and what the commands need beside them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from automl import registry
from automl.core.budget import Budget
from automl.core.events import RunStarted
from automl.core.leaderboard import Row
from automl.core.leaderboard import leaderboard as ranked
from automl.core.metrics import metric as metric_named
from automl.core.plan import Purse
from automl.core.protocols import Executor, Recorder
from automl.core.request import SearchRequest
from automl.errors import UserError
from automl.model import Model
from automl.run.models import artifact_folder
from automl.run.result import PlanPreview, SearchResult

__all__ = [
    "Evaluation", "Model", "PlanPreview", "SearchResult", "evaluate", "export", "leaderboard", "load_model", "plan",
    "report", "resume", "search", "sync",
]  # fmt: skip

DataLike = Any
"""A path, arrays (X, y) or (X, y, classes), or a data frame with the target in it."""

InMemory = Any
"""A tuple of arrays, or a pandas data frame."""
_SEVERAL = frozenset({"drop", "space", "include", "exclude"})


@dataclass(frozen=True)
class Evaluation:
    """A model's score on labelled data, with a 95 % interval and every other metric of its task."""

    metric: str
    score: float
    low: float
    high: float
    metrics: dict[str, float]
    rows: int


def search(
    data: DataLike = None, *, task: str, budget: str = SearchRequest.budget, progress: bool = True, **options: Any
) -> SearchResult:
    """Find the best model for data within a budget.

    Args:
        data: a path; for images arrays as (X, y) or (X, y, classes); for tables a pandas data frame with the target
            in it, or (X, y) with a 2-D array or data frame X; None for the task's default data. The option `test` is
            of the same forms, with the classes of data unless it has its own.
        task: as `automl list tasks` names them.
        budget: such as "2min" or "8gpu-h,40trials".
        progress: show what happens on stderr.
        **options: any other field of `SearchRequest`, such as metric, test, folds, seed, workers, out, tracking_uri;
            for tables target, drop, sample_weight, positive, group, split_time; for texts text, vectors; for series
            series_id, series_time; weights for pre-trained ones.

    Raises:
        UserError: the data, the budget or an option cannot be used; nothing is written.
        SearchFailed: no trial succeeded.

    >>> result = search(frame, task="tabular-reg", target="price", budget="2min")  # doctest: +SKIP
    >>> result = search((X, y), task="image-clf", budget="2min")  # doctest: +SKIP
    >>> result.model.predict(X[:3])  # doctest: +SKIP
    """
    began = time.monotonic()
    unknown = sorted(set(options) - set(SearchRequest.__dataclass_fields__))
    if unknown:
        known = ", ".join(SearchRequest.__dataclass_fields__)
        raise UserError(f"search() has no option {unknown[0]!r}. Known: {known}.")
    given, test = _given("data", data), _given("test", options.pop("test", None))
    test = _with_classes(test, given)
    fields: dict[str, Any] = {name: _plain(name, value) for name, value in options.items()}
    request = SearchRequest(task=task, data=given.path, budget=budget, test=test.path, **fields)
    with _console(began, quiet=not progress) as console:
        return run_search(request, started=began, watchers=(console,), data=given.arrays, test=test.arrays)


def resume(run: Path | str, *, budget: str = "", progress: bool = True) -> SearchResult:
    """Take up a run that was stopped or killed, with more budget if given; see `search` for progress.

    Raises:
        RunError: no run, in use, damaged, or finished with no budget added.
    """
    began = time.monotonic()
    with _console(began, quiet=not progress, is_resume=True) as console:
        return run_resume(Path(run), budget=budget, started=began, watchers=(console,))


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
    request: SearchRequest, *, started: float, watchers: Sequence[Recorder] = (), data: InMemory | None = None,
    test: InMemory | None = None,
) -> SearchResult:  # fmt: skip
    """Search as a request says, or in data in memory; `started` is the monotonic second at which the program began."""
    from automl.run import folder, session, setup

    resolved = setup.resolve(request)
    with folder.private_files():
        executor = _executor(resolved.request, resolved.slots, resolved.candidates)
        try:
            slots = replace(resolved.slots, count=executor.slots)
            ready = setup.prepare(replace(resolved, slots=slots), data, test)
            path = setup.run_path(request, ready.started.name)
            return session.begin(ready, path, executor, began=started, watchers=watchers)
        finally:
            executor.stop()


def run_resume(run: Path, *, budget: str, started: float, watchers: Sequence[Recorder] = ()) -> SearchResult:
    """Take up a run; `started` is the monotonic second at which the program began."""
    from automl.run import folder, session, setup

    def _boot(first: RunStarted) -> Executor:
        slots = setup.slots_again(first)
        return _executor(first.request, slots, tuple(first.spaces))

    with folder.private_files():
        return session.go_on(run, _boot, added_budget=budget, began=started, watchers=watchers)


def plan(request: SearchRequest) -> PlanPreview:
    """Return what a search would do, by estimates alone; nothing is trained and no run folder is made."""
    from automl.run import session, setup

    ready = setup.prepare(setup.resolve(request))
    first, budget = ready.started, Budget.parse(request.budget)
    reserve = session.reserve_seconds(budget, first.spec.rows, is_recorded=request.tracking_uri != "none")
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


def evaluate(model: Path | str, data: DataLike, metric: str = "") -> Evaluation:
    """Return a model's score on labelled data.

    Raises:
        UserError: the model, the data or the metric cannot be used.
    """
    from automl.run.scoring import score_data

    given = _given("data", data)
    source = given.path if given.arrays is None else given.arrays
    return Evaluation(**vars(score_data(load_model(model), source, metric)))


def export(model: Path | str, output: Path, *, format: str = "folder", verify: bool = False) -> Sequence[Path]:  # noqa: A002
    """Write a model somewhere in some form and return the files; with verify, in a fresh process it must agree."""
    from automl.run.models import export_artifact

    return export_artifact(artifact_folder(str(model)), output, format=format, verify=verify)


def report(run: Path) -> Path:
    """Write the page about a run anew and return its path."""
    from automl.run import pages

    return pages.rewrite(run)


def sync(run: Path) -> str:
    """Bring MLflow up to date with a run's journal and return one line about it."""
    from automl.run import pages

    return pages.sync(run)


@contextmanager
def _console(began: float, *, quiet: bool, is_resume: bool = False) -> Iterator[Recorder]:
    console = registry.resolve("recorder", "console")(quiet=quiet, started=began, is_resume=is_resume)
    with closing(console):
        yield console


class _Given(NamedTuple):
    """Data as the user hands it over: a path, or data in memory, or neither."""

    path: str
    arrays: InMemory | None


def _given(name: str, data: DataLike) -> _Given:
    if data is None:
        return _Given("", None)
    if isinstance(data, str | os.PathLike):
        return _Given(os.fspath(data), None)
    if isinstance(data, tuple | list):
        return _Given("", tuple(data))
    if hasattr(data, "to_pandas"):  # Polars and PyArrow
        data = data.to_pandas()
    if hasattr(data, "iloc") and hasattr(data, "columns"):
        return _Given("", data)
    raise UserError(
        f"{name}: a path, a data frame, (X, y) or (X, y, classes) is needed. Got a {type(data).__name__}. Convert it."
    )


def _with_classes(test: _Given, data: _Given) -> _Given:
    """Return test arrays with the classes of the data, where those were given and these were not."""
    if not isinstance(data.arrays, tuple) or not isinstance(test.arrays, tuple):
        return test
    if (len(data.arrays), len(test.arrays)) != (3, 2):
        return test
    return test._replace(arrays=(*test.arrays, data.arrays[2]))


def _plain(name: str, value: Any) -> Any:
    """Return an option as a request holds it; one name or path where several may stand is taken as one."""
    if name not in _SEVERAL:
        return os.fspath(value) if isinstance(value, os.PathLike) else value
    return tuple(map(os.fspath, (value,) if isinstance(value, str | os.PathLike) else value))


def _executor(request: SearchRequest, slots: Any, candidates: Sequence[str]) -> Executor:
    from automl.run.available import preload

    name = "local" if request.engine == "auto" else request.engine
    executor: Executor = registry.resolve("executor", name)(slots.count, gpus=slots.gpus)
    executor.warm(preload(request, candidates))
    return executor
