"""What of a run goes to MLflow, as plain values. Pure: the same history gives the same values."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import NamedTuple

from automl.core.events import RunStarted
from automl.core.history import History, Trial
from automl.core.leaderboard import latency_ms, leaderboard, size_bytes, trial_score, unranked
from automl.core.metrics import metric
from automl.core.scores import standard_error

LONGEST_VALUE = 5000
"""MLflow refuses parameters and tags that are longer than about this."""
RUN_TAG, TRIAL_TAG = "automl.run_id", "automl.trial"

Table = dict[str, list[object]]
Cells = dict[str, object]


class Point(NamedTuple):
    """One metric value; at in Unix seconds, so that recording it again changes nothing."""

    key: str
    value: float
    step: int
    at: float


@dataclass(frozen=True)
class Record:
    """One MLflow run: its name, parameters, tags and metric points; started and ended in Unix seconds."""

    name: str
    params: dict[str, str]
    tags: dict[str, str]
    points: tuple[Point, ...]
    started: float
    ended: float


def run_id(started: RunStarted) -> str:
    """Return what names this run for ever: the same for every replay, another for every other run."""
    parts = [started.name, started.wall_started, started.seed, started.spec.fingerprint, started.space_sha256]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def experiment_name(started: RunStarted) -> str:
    """Return the experiment's default name, one per task and data set."""
    return f"automl/{started.request.task}/{started.spec.name}"


def model_name(started: RunStarted) -> str:
    """Return the registered model's name, with the characters that MLflow admits.

    The name has no slash and no colon, which part name and version in models:/ URIs.
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", f"automl-{started.request.task}-{started.spec.name}")


def parent_record(history: History) -> Record:
    """Return the run's own record: the request as parameters, what it depends on as tags, the best score over time."""
    started = _started(history)
    asked = {k: v for k, v in asdict(started.request).items() if v not in ("", None, ()) and k != "tracking_uri"}
    facts = {"metric": started.metric, "folds": started.folds, "slots": started.slots, "device": started.device,
             "seed": started.seed, "rows": started.spec.rows, **_data_facts(started)}  # fmt: skip
    tags = {
        RUN_TAG: run_id(started),
        "automl.fingerprint": started.spec.fingerprint,
        "automl.space_sha256": started.space_sha256,
        **{f"automl.version.{name}": v for name, v in started.versions.items()},
    }
    points = (*_best_so_far(history), *_end_points(history))
    return Record(started.name, _texts({**asked, **facts}), tags, points, started.wall_started, _wall(history))


def _data_facts(started: RunStarted) -> dict[str, object]:
    """Return what else is known of the data; what the request says already is not said again."""
    spec = started.spec
    found: dict[str, object] = {"classes": len(spec.classes)} if spec.classes else {}
    if spec.kind == "table":
        found |= {"columns": spec.shape[0], "split": spec.split, "target": spec.target}
    return found


def status_tags(history: History) -> dict[str, str]:
    """Return the tags that change while a run goes on."""
    ended, decided = history.ended, history.decided
    tags = {"automl.status": ended.status if ended else "running", "automl.reason": ended.reason if ended else ""}
    if decided is not None:
        tags |= {"automl.winner": decided.winner.candidate, "automl.winner_kind": decided.winner.kind}
    return {k: v[:LONGEST_VALUE] for k, v in tags.items() if v}


def child_records(history: History, known: frozenset[int]) -> Iterator[tuple[int, Record]]:
    """Yield trial number and record of each full trial that is not known yet."""
    ends = _trial_ends(history)
    for trial in history.full():
        if trial.number not in known:
            yield trial.number, _child_record(history, trial, ends[trial.number])


def tables(history: History) -> dict[str, Table]:
    """Return the tables of a run by file name, in the form of MLflow's table artifacts: column → values."""
    ranked = leaderboard(history, metric(_started(history).metric))
    rows: list[Cells] = [{**row.as_json()} for row in ranked]
    others: list[Cells] = [{**entry.row.as_json(), "reason": entry.reason} for entry in unranked(history)]
    warnings: list[Cells] = [{"source": w.source, "at": w.at, "message": w.message} for w in history.warnings]
    named = {"leaderboard.json": rows, "not_ranked.json": others, "warnings.json": warnings}
    return {name: _columns(entries) for name, entries in named.items() if entries}


def texts(history: History) -> dict[str, str]:
    """Return the text artifacts of a run by file name."""
    started = _started(history)
    files = {f"spaces/{name}.toml": text for name, text in started.spaces.items()}
    origins = "".join(f"{name}: {origin}\n" for name, origin in started.space_origins.items())
    return {**files, "spaces/origins.txt": origins} if origins else files


def _child_record(history: History, trial: Trial, ended: float) -> Record:
    started = _started(history)
    at, name = started.wall_started + ended, started.metric
    summary = {
        f"cv/{name}": trial_score(trial),
        f"cv/{name}_se": standard_error([r.score for r in trial.results.values() if r.score is not None]),
        "device_seconds": trial.device_seconds,
        "latency_ms": latency_ms(trial),
        "size_mb": size_bytes(trial) / 1e6,
    }
    points = [Point(key, value, 0, at) for key, value in summary.items() if value is not None]
    for fold, result in sorted(trial.results.items()):
        points += [Point(f"fold{fold}/{name}", score, step, at) for step, score in result.curve]
        points += [Point(f"fold{fold}/train_loss", loss, step, at) for step, loss in result.train_curve]
        if result.score is not None:
            points.append(Point(f"fold{fold}/cv_{name}", result.score, 0, at))
    params = _texts({"candidate": trial.configuration.candidate, **trial.configuration.values})
    tags = {RUN_TAG: run_id(started), TRIAL_TAG: str(trial.number), "automl.origin": trial.origin, **_notes(trial)}
    label = f"t{trial.number:05d} {trial.configuration.candidate}"
    return Record(label, params, tags, tuple(p for p in points if math.isfinite(p.value)), at, at)


def _notes(trial: Trial) -> dict[str, str]:
    return {f"automl.note.{key}": text[:LONGEST_VALUE] for r in trial.results.values() for key, text in r.notes.items()}


def _best_so_far(history: History) -> Iterator[Point]:
    started = _started(history)
    sign, best = (1.0 if metric(started.metric).greater_is_better else -1.0), -math.inf
    ends = _trial_ends(history)
    scored = [(ends[t.number], t.number, trial_score(t)) for t in history.full()]
    for count, (at, _, score) in enumerate(sorted(scored, key=lambda s: s[:2]), start=1):
        if score is not None and sign * score > best:
            best = sign * score
            yield Point(f"best/{started.metric}", score, count, started.wall_started + at)


def _end_points(history: History) -> Iterator[Point]:
    decided, at = history.decided, _wall(history)
    if decided is None:
        return
    winner = decided.winner
    values = {"cv": winner.cv, "cv_se": winner.se, "corrected": winner.corrected, "corrected_low": winner.low,
              "corrected_high": winner.high, "p_better": winner.p_better}  # fmt: skip
    values |= {f"test/{name}": value for name, value in (decided.test.metrics if decided.test else {}).items()}
    decided_at = _started(history).wall_started + decided.at
    yield from (Point(k, v, 0, decided_at) for k, v in values.items() if v is not None and math.isfinite(v))
    if history.ended is not None:
        spent = math.fsum(e.device_seconds for e in history.ended_jobs)
        yield Point("spend/device_seconds", spent, 0, at)
        yield Point("spend/wall_seconds", history.ended.at, 0, at)


def _trial_ends(history: History) -> dict[int, float]:
    """Return when each trial last got a result, in run seconds."""
    return {result.trial: ended.at for ended in history.ended_jobs for result in ended.result.members}


def _started(history: History) -> RunStarted:
    assert history.started is not None, "a run is recorded from its first event on"
    return history.started


def _wall(history: History) -> float:
    return _started(history).wall_started + history.at


def _texts(values: dict[str, object]) -> dict[str, str]:
    return {k: (v if isinstance(v, str) else json.dumps(v))[:LONGEST_VALUE] for k, v in values.items()}


def _columns(rows: list[Cells]) -> Table:
    def _cell(value: object) -> object:
        return json.dumps(value, sort_keys=True) if isinstance(value, dict) else value

    return {name: [_cell(row.get(name)) for row in rows] for name in rows[0]}
