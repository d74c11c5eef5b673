"""The model card: what a stranger must know before using a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_SHOWN_COLUMNS, _SHOWN_CATEGORIES, _SHOWN_UNREAD = 200, 8, 10


def model_card(facts: Mapping[str, Any]) -> str:
    """Return the card of a manifest as Markdown.

    Args:
        facts: the JSON object of manifest.json.
    """
    blocks = (_title(facts), _use(facts), _data(facts), _scores(facts), _members(facts), _limits(facts), _safety())
    return "\n\n".join(blocks) + "\n"


def _title(facts: Mapping[str, Any]) -> str:
    name = facts["run"] or "unnamed run"
    target = f" It predicts `{_plain(facts['target'])}`." if facts.get("target") else ""
    return (
        f"# {_plain(facts['data']['name'])}: {facts['task']}\n\n"
        f"A model found by an automatic search (run `{name}`), optimised for `{facts['metric']}`.{target}"
    )


def _use(facts: Mapping[str, Any]) -> str:
    proba = " --proba" if facts["classes"] else ""
    how = _USES[facts["input"]["kind"]](facts["input"])
    return (
        f"## Use\n\n```\npip install -r requirements.txt\npython runner.py DATA -o predictions.csv{proba}\n```\n\n{how}"
    )


def _use_images(rule: Mapping[str, Any]) -> str:
    how = "cut out of the centre" if rule["resize"] == "crop" else "stretched or shrunk"
    colour = "grey" if rule["channels"] == 1 else "colour"
    scale = f" Arrays that are not bytes hold numbers from 0 to {rule['value_max']:g}."
    return (
        "DATA is an image, a folder of images, or an `.npz` file with `X`. "
        f"Images are {how} to {rule['height']} x {rule['width']} pixels, {colour}.{scale} "
        "The output has one line per image, in the order of file names (or of the array)."
    )


def _use_table(rule: Mapping[str, Any]) -> str:
    lines = [f"| {_plain(column['name'])} | {_column(column)} |" for column in rule["columns"][:_SHOWN_COLUMNS]]
    more = len(rule["columns"]) - len(lines)
    return "\n".join(
        [
            "DATA is a CSV, TSV or JSONL file with a header and the columns below, in any order: they are found by "
            "name, others are left alone, and an empty cell is a missing value. The output has one line per row, in "
            "the order of the file.",
            "",
            "| column | what it holds |",
            "|---|---|",
            *lines,
            *([f"| and {more} more | see `input` in `manifest.json` |"] if more > 0 else []),
        ]
    )


def _use_series(rule: Mapping[str, Any]) -> str:
    channels = ", ".join(f"`{_plain(name)}`" for name in rule["channels"][:_SHOWN_COLUMNS])
    more = f" and {len(rule['channels']) - _SHOWN_COLUMNS} more" if rule["channels"][_SHOWN_COLUMNS:] else ""
    arrays = "an `.npz` file with `X` of shape (series, channels, steps), padded with NaN after the end of a series"
    if not rule.get("id"):
        return f"DATA is {arrays}. Channels: {channels}{more}. The output has one line per series, in the order of `X`."
    order = f", ordered by `{_plain(rule['time'])}`" if rule.get("time") else ", in the order of the file"
    return (
        f"DATA is a CSV, TSV or JSONL file with one step of a series per row{order}: `{_plain(rule['id'])}` says whose "
        f"step it is, and these columns are its channels: {channels}{more}. Or it is {arrays}. The output has one line "
        "per series, in the order in which they first appear."
    )


_USES = {"image": _use_images, "table": _use_table, "series": _use_series}
_ROWS = {"image": ("image", "Other cameras"), "table": ("row", "Other times"), "series": ("series", "Other sensors")}


def _column(column: Mapping[str, Any]) -> str:
    if column["kind"] == "category":
        known = column["categories"]
        shown = ", ".join(_plain(value)[:40] for value in known[:_SHOWN_CATEGORIES])
        more = f" and {len(known) - _SHOWN_CATEGORIES} more" if len(known) > _SHOWN_CATEGORIES else ""
        return f"category: {shown}{more}"
    is_written = column["kind"] == "date" and column.get("format")
    return f"date as `{_plain(column['format'])}`" if is_written else str(column["kind"])


def _data(facts: Mapping[str, Any]) -> str:
    data = facts["data"]
    head = f"## Data\n\n{data['rows']} rows, SHA-256 of the content `{data['fingerprint']}`.{_unread(facts)}"
    if not facts["classes"]:
        return head
    lines = [
        f"| {_plain(label)} | {rows} |" for label, rows in zip(facts["classes"], data["class_counts"], strict=True)
    ]
    return "\n".join([head, "", "| class | rows |", "|---|---|", *lines])


def _unread(facts: Mapping[str, Any]) -> str:
    """Return which columns of the training table the model does not read, and why."""
    read = {column["name"] for column in facts["input"].get("columns", [])}
    columns = facts["data"].get("columns") or {}
    left = [f"{_plain(name)} ({_plain(kind)})" for name, kind in columns.items() if name not in read]
    if not left:
        return ""
    if len(left) <= _SHOWN_UNREAD:
        return f" Columns that the model does not read: {', '.join(left)}."
    shown, more = ", ".join(left[:_SHOWN_UNREAD]), len(left) - _SHOWN_UNREAD
    return f" {len(left)} columns are not read by the model: {shown} and {more} more, see `data` in `manifest.json`."


def _scores(facts: Mapping[str, Any]) -> str:
    scores = facts["scores"]
    if not scores:
        return "## Scores\n\nNone are recorded: this model was saved before it was evaluated as a whole."
    lines = [f"| {_plain(key)} | {_number(value)} |" for key, value in _flat(scores)]
    return "\n".join(
        [
            f"## Scores\n\nIn the metric's own unit (`{facts['metric']}`); `low` and `high` bound a 95 % interval. "
            "`cv` is cross-validated on the training data and flatters the winner of a search; `corrected` takes "
            "that off.",
            "",
            "| | |",
            "|---|---|",
            *lines,
        ]
    )


def _members(facts: Mapping[str, Any]) -> str:
    rows = [
        f"| {m['file']} | {m['candidate']} | {m['trial']} | {'all rows' if m['fold'] < 0 else m['fold']} "
        f"| {m['weight']:.4f} | {m['features']['kind']} |"
        for m in facts["members"]
    ]
    head = f"## Members\n\nThe {'scores are' if facts['classes'] else 'value is'} the weighted mean of these models."
    table = ["| file | candidate | trial | fold | weight | features |", "|---|---|---|---|---|---|"]
    return "\n".join([head, "", *table, *rows])


def _limits(facts: Mapping[str, Any]) -> str:
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in _limit_lines(facts))


def _limit_lines(facts: Mapping[str, Any]) -> Sequence[str]:
    what, elsewhere = _ROWS[facts["input"]["kind"]]
    lines = [
        "Scores hold for new data of the same kind as the training data. "
        f"{elsewhere}, places or groups were not tested."
    ]
    if facts["classes"]:
        lines.append(
            f"Every {what} is given one of the {len(facts['classes'])} classes above, also one that belongs to none."
        )
        lines += [_calibrated(facts), _decided(facts)]
    else:
        lines.append("Values far outside the range of the training data are not predicted, whatever the input.")
    lines.append("Nothing is known here about how the data was collected, about consent, or about bias in it.")
    return [line for line in lines if line]


def _calibrated(facts: Mapping[str, Any]) -> str:
    calibration = facts.get("calibration") or {}
    if not calibration:
        return "Probabilities come from the models as they are; calibration was not checked unless a score says so."
    kind = calibration["kind"]
    how = f"temperature {calibration['temperature']:.3g}" if kind == "temperature" else "an isotonic curve"
    return f"Probabilities are calibrated by {how}, learned on predictions for rows the models had not seen."


def _decided(facts: Mapping[str, Any]) -> str:
    weights = (facts.get("decision") or {}).get("weights")
    if not weights:
        return ""
    if len(weights) == 2:
        threshold = weights[0] / (weights[0] + weights[1])
        label = _plain(facts["classes"][1])
        return f"The label is {label} from a probability of {threshold:.3f} on, chosen for `{facts['metric']}`."
    return f"The label is the greatest probability times a weight per class, chosen for `{facts['metric']}`."


def _safety() -> str:
    return (
        "## Safety\n\nThe folder holds ONNX, JSON, text and readable Python; nothing in it is unpickled. "
        "`manifest.json` has the SHA-256 of each file: that proves integrity, not origin. Pin the hash of "
        "`manifest.json` itself if origin matters."
    )


def _flat(values: Mapping[str, Any], prefix: str = "") -> Sequence[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in values.items():
        pairs += _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [(f"{prefix}{key}", value)]
    return pairs


def _number(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else _plain(value)


def _plain(value: object) -> str:
    """Return a text that cannot break out of a table cell."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
