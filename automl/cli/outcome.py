"""What a search says at its end, and what a dry run says instead."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from automl.cli.text import Rounded, columns, duration
from automl.core.words import data_words, score_words

if TYPE_CHECKING:
    from automl.api import PlanPreview, SearchResult
    from automl.core.events import TestScore, Winner

Line = tuple[str, str]


def show(result: SearchResult, *, as_json: bool) -> None:
    """Write the outcome to stdout: one JSON object, or lines for people."""
    if as_json:
        sys.stdout.write(json.dumps(result.to_json()) + "\n")
        return
    sys.stdout.write(render(result))


def render(result: SearchResult) -> str:
    """Return winner, corrected score, receipt, places and the next command."""
    lines = [*_model(result), *_spend(result), *_places(result)]
    return "\n" + _aligned(lines) + "\n"


def _model(result: SearchResult) -> Iterator[Line]:
    started = result.history.started
    assert started is not None
    winner = result.winner
    yield "model", _name(winner)
    yield started.metric, f"{score_words(winner.corrected)}  {_interval(winner)}, corrected for selection"
    yield "", f"{score_words(winner.cv)} ± {score_words(winner.se)} cross-validated on {started.folds} folds"
    if winner.p_better is not None:
        yield "", f"better than the baseline with probability {_probability(winner.p_better)}"
    if result.test is not None:
        test = result.test
        yield "test", f"{score_words(test.score)}  {_interval(test)} on {test.rows:,} rows"


def _spend(result: SearchResult) -> Iterator[Line]:
    receipt, started = result.receipt, result.history.started
    assert started is not None
    yield "spend", f"{duration(receipt.wall_seconds)} of wall time, {receipt.trials} trials; budget {_budget(result)}"
    leased = f"{receipt.leased_seconds:.1f} {receipt.device}-s in {receipt.leases} jobs"
    if receipt.device == "gpu":
        yield "", leased
        return
    whole = max(receipt.wall_seconds * started.slots, receipt.leased_seconds)
    rest = whole - receipt.leased_seconds
    yield "", f"{started.slots} workers × {receipt.wall_seconds:.1f} s = {leased} + {rest:.1f} not leased"


def _budget(result: SearchResult) -> str:
    added = (event.added_budget.removeprefix("+") for event in result.history.resumed)
    return " + ".join(filter(None, [result.request.budget, *added]))


def _places(result: SearchResult) -> Iterator[Line]:
    run = shlex.quote(str(result.run))
    yield "artifact", str(result.artifact)
    yield "page", str(result.run / "report.html")
    if result.registered is not None:
        registered = result.registered
        yield "registry", registered.model_uri + (f"  ({registered.note})" if registered.note else "")
    if result.status == "interrupted":
        yield "stopped", f"by you, with the best so far. Go on: automl resume {run}"
    yield "next", f"automl predict {run} DATA -o predictions.csv"


def _name(winner: Winner) -> str:
    if winner.kind == "single":
        return f"{winner.candidate}, trial {next(iter(winner.weights))}"
    shares = sorted(winner.weights.items(), key=lambda item: -item[1])
    listed = ", ".join(f"trial {trial} {share:.0%}" for trial, share in shares[:4])
    more = f" and {len(shares) - 4} more" if len(shares) > 4 else ""
    return f"{winner.candidate}: ensemble of {listed}{more}"


def _interval(score: Winner | TestScore) -> str:
    return f"95 % [{score_words(score.low)}, {score_words(score.high)}]"


def _probability(p: float) -> str:
    return "above 0.99" if p > 0.99 else f"{p:.2f}"


def _aligned(lines: list[Line]) -> str:
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:>{width}}  {text}" for name, text in lines)


def show_plan(plan: PlanPreview, budget: str, *, as_json: bool) -> None:
    """Write what a search would do to stdout."""
    sys.stdout.write(json.dumps(plan_json(plan)) + "\n" if as_json else render_plan(plan, budget))


def plan_json(plan: PlanPreview) -> dict[str, object]:
    """Return a plan as JSON values."""
    spec = plan.spec
    return {
        "data": {"name": spec.name, "rows": spec.rows, "shape": list(spec.shape), "fingerprint": spec.fingerprint,
                 "classes": dict(zip(spec.classes, spec.class_counts, strict=True)), "target": spec.target,
                 "columns": dict(spec.columns), "split": spec.split},
        "findings": [{"code": f.code, "level": f.level, "message": f.message} for f in plan.findings],
        "folds": plan.folds, "slots": plan.slots, "device": plan.device,
        "spaces": dict(plan.space_origins), "portfolio": len(plan.portfolio), "full_steps": dict(plan.full_steps),
        "seconds_per_fold": {name: cost.seconds(plan.full_steps.get(name, 1)) for name, cost in plan.costs.items()},
        "reserve_seconds": plan.reserve_seconds,
    }  # fmt: skip


def render_plan(plan: PlanPreview, budget: str) -> str:
    """Return a plan for people."""
    spec = plan.spec
    lines: list[Line] = [
        ("data", f"{spec.name}: {data_words(spec)}{f', {len(spec.classes)} classes' if spec.classes else ''}"),
        ("target", spec.target),
        ("classes", _classes(spec.classes, spec.class_counts)),
        *(("warning" if f.level == "warning" else "note", f.message) for f in plan.findings),
        ("plan", f"{plan.folds} folds, {plan.slots} workers on {plan.device}, {len(plan.portfolio)} portfolio entries"),
        ("budget", f"{budget}; {duration(plan.reserve_seconds)} of it held back for finishing"),
    ]
    table = columns(("candidate", "full steps", "s per fold", "search space"), _candidates(plan))
    return _aligned([line for line in lines if line[1]]) + f"\n\n{table}\n"


def _candidates(plan: PlanPreview) -> Iterator[tuple[object, ...]]:
    for name, origin in plan.space_origins.items():
        steps, cost = plan.full_steps.get(name), plan.costs.get(name)
        seconds = cost.seconds(steps) if cost is not None and steps is not None else None
        yield name, "does not fit" if steps is None else steps, None if seconds is None else Rounded(seconds, 1), origin


def _classes(names: tuple[str, ...], counts: tuple[int, ...]) -> str:
    shown = ", ".join(f"{name} {count:,}" for name, count in list(zip(names, counts, strict=True))[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")
