"""The sections of the page, from top to bottom."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from datetime import UTC, datetime

from automl.core.events import TestScore, Winner
from automl.core.leaderboard import Row
from automl.core.redaction import redact
from automl.core.words import data_words, score_words
from automl.report import charts, grids
from automl.report.build import ReportData
from automl.report.html import Markup, code, details, facts, pairs, safe, section, table
from automl.report.spend import MEASURING
from automl.report.svg import minutes

_SPLITS = {"stratified": "at random, classes alike", "group": "by group", "time": "in the order of time"}
_SHOWN_ROWS, _SHOWN_CLASSES, _SHOWN_OTHERS = 15, 12, 200


def header(data: ReportData) -> Markup:
    """Return the title and one line of facts."""
    started, when = data.started, datetime.fromtimestamp(data.started.wall_started, UTC)
    phase = data.history.phase
    state = phase.reason if phase else "still searching"
    line = f"{started.request.task} · {started.spec.name} · {when:%Y-%m-%d %H:%M} UTC · {state}"
    return Markup(f"<header><h1>{safe(started.name)}</h1><p>{safe(line)}</p></header>")


def winner(data: ReportData) -> Markup:
    """Return the card of the winner, or what is known without one."""
    if data.decided is None:
        best = f"The best full trial so far is {data.rows[0].candidate}." if data.rows else "No trial is full yet."
        return section("No winner was chosen", Markup(f"<p>{safe(best)}</p>"))
    won, test = data.decided.winner, data.decided.test
    chance = "" if won.p_better is None else f"{'above 0.99' if won.p_better > 0.99 else f'{won.p_better:.2f}'}"
    said = facts(
        {
            "model": _model(won),
            "made of": _members(data, won),
            "cross-validated": f"{score_words(won.cv)} ± {score_words(won.se)} over {data.started.folds} folds",
            "better than baseline": f"with probability {chance}" if chance else "",
            "on the test set": _tested(test) if test else "",
            "how corrected": won.method,
            "what is deployed": _deployed(data),
            "probabilities": _calibrated(won),
            "labels": _decided(won, data),
        }
    )
    name = f'<p class="quiet">{safe(data.metric.name)}, corrected</p>'
    score = f'<div><div class="score">{score_words(won.corrected)}</div>{name}</div>'
    drawn = f'<div class="interval">{charts.winner_interval(won)}</div>'
    return Markup(
        f'<section><div class="winner">{score}<div>{drawn}<p class="quiet">95 % interval for new data; '
        f"the hollow mark is the cross-validated score before correction</p></div></div>{said}</section>"
    )


def how_to_use(data: ReportData) -> Markup:
    """Return the commands that use the model."""
    if data.decided is None:
        return Markup("")
    run, artifact = shlex.quote(data.run), shlex.quote(f"{data.run}/{data.decided.artifact}")
    shell = f"automl predict {run} DATA -o predictions.csv\npython {artifact}/runner.py DATA -o predictions.csv"
    spec, registered = data.started.spec, data.history.registered
    answer = "labels" if spec.classes else "values"
    rows = {"image": "images", "table": "table", "text": "texts", "series": "series"}[spec.kind]
    python = f"import automl\nmodel = automl.load_model({data.run!r})\n{answer} = model.predict({rows})"
    needs = "numpy, onnxruntime and Pillow" if spec.kind == "image" else "numpy and onnxruntime"
    return section(
        "Use it",
        Markup(f"<pre>{safe(shell)}</pre>"),
        details("in Python", Markup(f"<pre>{safe(python)}</pre>")),
        facts({
            "manifest SHA-256": code(data.decided.manifest_sha256),
            "registry": _registry(registered.model_uri, registered.note) if registered else "",
        }),
        note=f"The second line needs only {needs}.",
    )  # fmt: skip


def over_time(data: ReportData) -> Markup:
    """Return the score over time."""
    if not data.moments:
        return Markup("")
    return section(
        "Score over time",
        charts.score_over_time(data),
        _legend(data, (m.candidate for m in data.moments)),
        note="one dot per full trial",
    )


def candidates(data: ReportData) -> Markup:
    """Return the spread of scores by candidate."""
    if not data.rows:
        return Markup("")
    return section("Candidates", charts.by_candidate(data), note=f"{data.metric.name} of the full trials")


def leaderboard(data: ReportData) -> Markup:
    """Return the ranked trials."""
    chosen = data.decided.winner.weights if data.decided else {}
    header = (
        "rank ",
        "trial ",
        "candidate",
        f"{data.metric.name} ",
        "± se ",
        "device s ",
        "ms/row ",
        "MB ",
        "parameters",
    )
    cells = [_cells(row) for row in data.rows]
    styles = ["chosen" if row.trial in chosen else "" for row in data.rows]
    more = table(header, cells[_SHOWN_ROWS:], styles[_SHOWN_ROWS:])
    return section(
        "Leaderboard",
        table(header, cells[:_SHOWN_ROWS], styles),
        details(f"{len(cells) - _SHOWN_ROWS} more", more),
        note="trials trained in full; the winner is made of those in bold",
    )


def curves(data: ReportData) -> Markup:
    """Return the learning curves."""
    if not data.curves:
        return Markup("")
    note = "the best trial of each candidate; the band is the range over the folds"
    return section(
        "Learning curves", charts.learning_curves(data), _legend(data, (c.candidate for c in data.curves)), note=note
    )


def confusion(data: ReportData) -> Markup:
    """Return the confusion matrix and the most frequent mistakes."""
    found = data.confusion
    if found is None:
        return Markup("")
    rows = [(m.truth, m.predicted, m.times, f"{m.times / m.rows:.1%}") for m in found.mistakes]
    left_out = f"; {found.left_out} classes with fewer mistakes are left out" if found.left_out else ""
    return section(
        "Confusion",
        grids.confusion_matrix(found),
        details("most frequent mistakes", table(("class", "taken for", "times ", "of the class "), rows)),
        note=f"rows are true classes; {found.rows:,} predictions by models that did not see the row{left_out}",
    )


def parameters(data: ReportData) -> Markup:
    """Return the parameters of the best candidate against the score."""
    name, plots = data.best_parameters
    drawn = "".join(
        f"<figure><figcaption>{safe(plot.name)} <span>strength {plot.strength:.2f}</span></figcaption>"
        f"{charts.parameter(data, plot, name)}</figure>"
        for plot in plots
    )
    where = f" at rung {plots[0].rung}" if plots else ""
    note = f"{data.metric.name}{where}; strength is how well the parameter alone orders the trials, from 0 to 1"
    return section(f"Parameters of {name}", f'<div class="plots">{drawn}</div>' if drawn else "", note=note)


def data_facts(data: ReportData) -> Markup:
    """Return the facts of the data, its classes and the findings."""
    spec = data.started.spec
    said = facts(
        {
            "what": data_words(spec),
            "target": spec.target,
            "classes": len(spec.classes) or "",
            "split": _SPLITS[spec.split] if spec.classes or spec.split != "stratified" else "at random",
            "weights": "rows have weights" if spec.is_weighted else "",
            "folds": data.started.folds,
            "fingerprint": code(spec.fingerprint[:16] + "…"),
        }
    )
    rows = [(n, f"{c:,}", f"{c / spec.rows:.1%}") for n, c in zip(spec.classes, spec.class_counts, strict=True)]
    ordered = sorted(data.findings, key=lambda finding: finding.level != "warning")
    listed = "".join(f'<li class="{safe(f.level)}">{safe(f.message)}</li>' for f in ordered)
    return section(
        "Data",
        said,
        f'<ul class="findings">{listed}</ul>' if listed else "",
        details("classes", table(("class", "rows ", "share "), rows)),
    )


def spend(data: ReportData) -> Markup:
    """Return the receipt: its lines add up to what was leased."""
    bill, receipt = data.bill, data.bill.receipt
    rows = [(item.candidate, f"{item.jobs}", f"{item.trials}", f"{item.device_seconds:.1f}") for item in bill.items]
    total = ("leased in all", receipt.leases, receipt.trials, f"{receipt.leased_seconds:.1f}")
    use = "" if bill.utilisation is None else f"{bill.utilisation:.0%} of {data.started.slots} workers' time"
    said = facts(
        {
            "budget": bill.budget,
            "wall time": f"{minutes(receipt.wall_seconds)} ({receipt.wall_seconds:.1f} s)",
            "leased": use,
        }
    )
    header = ("candidate", "jobs ", "trials ", f"{receipt.device}-s ")
    return section("Spend", said, table(header, [*rows, total], [*[""] * len(rows), "sum"]))


def workers(data: ReportData) -> Markup:
    """Return the workers' time line."""
    if not data.spans:
        return Markup("")
    use = data.bill.utilisation
    note = "" if use is None else f"{use:.0%} of the time was leased to jobs; a dashed outline is a job that failed"
    return section("Workers", grids.time_line(data), _legend(data, (span.candidate for span in data.spans)), note=note)


def others(data: ReportData) -> Markup:
    """Return the trials that were stopped or failed, with reasons, and the warnings of the run."""
    failed = [u for u in data.others if u.row.status == "failed"]
    stopped = [u for u in data.others if u.row.status != "failed"]
    header = ("trial ", "candidate", "status", "last score ", "reason")
    warned = [(minutes(w.at), w.source, w.message) for w in data.history.warnings]
    return section(
        "Trials that were not finished",
        table(header, [_other(u.row, u.reason) for u in failed[:_SHOWN_OTHERS]]),
        details(
            f"{len(stopped)} stopped early or paused",
            table(header, [_other(u.row, u.reason) for u in stopped[:_SHOWN_OTHERS]]),
        ),
        details(f"{len(warned)} warning{'s' if len(warned) != 1 else ''}", table(("at ", "from", "message"), warned)),
        note=f"{len(failed)} failed, {len(stopped)} stopped early or paused",
    )


def spaces(data: ReportData) -> Markup:
    """Return the search spaces in force."""
    header = ("candidate", "full steps ", "file", "SHA-256")
    rows = [(s.candidate, s.full_steps or "does not fit", s.origin, code(s.sha256[:16] + "…")) for s in data.spaces]
    return section(
        "Search spaces", table(header, rows), note=f"{len(data.started.portfolio)} portfolio entries tried first"
    )


def set_up(data: ReportData) -> Markup:
    """Return seed, arguments and versions."""
    request = data.started.request
    given = {name: value for name, value in vars(request).items() if value not in ("", None, ())}
    asked = {name.replace("_", " "): redact(str(value)) for name, value in given.items()}
    versions = [(name, number) for name, number in sorted(data.started.versions.items())]
    return pairs(
        section(
            "Request",
            facts({**asked, "seed": data.started.seed, "device": f"{data.started.slots} × {data.started.device}"}),
        ),
        section("Versions", table(("package", "version"), versions)),
    )


def _cells(row: Row) -> tuple[object, ...]:
    values = ", ".join(f"{name} {_value(value)}" for name, value in row.params.items())
    score = "" if row.score is None else score_words(row.score)
    error = "" if row.se is None else score_words(row.se)
    return (row.rank or "", row.trial, row.candidate, score, error, f"{row.device_seconds:.1f}",
            f"{row.latency_ms:.2f}", f"{row.size_mb:.2f}", code(values) if values else "")  # fmt: skip


def _other(row: Row, reason: str) -> tuple[object, ...]:
    return row.trial, row.candidate, row.status, "" if row.score is None else score_words(row.score), reason


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _model(won: Winner) -> str:
    return won.candidate if won.kind == "single" else f"ensemble of {len(won.weights)} trials ({won.candidate})"


def _members(data: ReportData, won: Winner) -> str:
    known = data.history.trials
    parts = [
        f"trial {t} {known[t].configuration.candidate} {w:.0%}" if t in known else f"trial {t} {w:.0%}"
        for t, w in sorted(won.weights.items(), key=lambda item: -item[1])
    ]
    return ", ".join(parts)


def _tested(test: TestScore) -> str:
    return f"{score_words(test.score)} [{score_words(test.low)}, {score_words(test.high)}], {test.rows:,} rows"


def _calibrated(won: Winner) -> str:
    """Return how probabilities are calibrated; nothing where they are not."""
    calibration = won.calibration
    if not calibration:
        return ""
    if calibration["kind"] == "temperature":
        return f"calibrated with temperature {calibration['temperature']:.3g}"
    return f"calibrated by an isotonic curve of {len(calibration['x'])} points"


def _decided(won: Winner, data: ReportData) -> str:
    """Return how labels are chosen where that is not by the greatest probability."""
    weights, classes = won.decision.get("weights"), data.started.spec.classes
    if not weights:
        return ""
    if len(weights) == 2:
        threshold = weights[0] / (weights[0] + weights[1])
        return f"{classes[1]} from a probability of {threshold:.3f} on, chosen for {data.metric.name}"
    return f"the greatest probability times a weight of its class, chosen for {data.metric.name}"


def _deployed(data: ReportData) -> str:
    assert data.decided is not None
    refits = [data.history.refits.get(trial) for trial in data.decided.winner.weights]
    if data.started.request.deploy == "refit" and all(r is not None and r.outcome == "done" for r in refits):
        return "one model trained once more on all rows; the score is that of the fold models"
    if data.started.spec.split == "time":
        return "the model of the latest fold; the score is that of all folds"
    return f"the {data.started.folds} models of the folds, averaged; the score is theirs"


def _registry(uri: str, note: str) -> Markup:
    return Markup(code(uri) + (f" {safe(note)}" if note else ""))


def _legend(data: ReportData, shown: Iterable[str]) -> str:
    names = set(shown)
    marks = "".join(
        f'<span><i class="{charts.colour(data, name)}"></i>{safe(name)}</span>'
        for name in (*data.candidates, MEASURING)
        if name in names
    )
    return f'<div class="legend">{marks}</div>'
