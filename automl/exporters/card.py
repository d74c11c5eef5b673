"""The model card: what a stranger must know before using a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def model_card(facts: Mapping[str, Any]) -> str:
    """Return the card of a manifest as Markdown.

    Args:
        facts: the JSON object of manifest.json.
    """
    blocks = (_title(facts), _use(facts), _data(facts), _scores(facts), _members(facts), _limits(facts), _safety())
    return "\n\n".join(blocks) + "\n"


def _title(facts: Mapping[str, Any]) -> str:
    name = facts["run"] or "unnamed run"
    return (
        f"# {_plain(facts['data']['name'])}: {facts['task']}\n\n"
        f"A model found by an automatic search (run `{name}`), optimised for `{facts['metric']}`."
    )


def _use(facts: Mapping[str, Any]) -> str:
    return (
        "## Use\n\n```\npip install -r requirements.txt\npython runner.py DATA -o predictions.csv --proba\n```\n\n"
        f"DATA is an image, a folder of images, or an `.npz` file with `X`. {_input_rule(facts['input'])} "
        "The output has one line per image, in the order of file names (or of the array)."
    )


def _input_rule(rule: Mapping[str, Any]) -> str:
    how = "cut out of the centre" if rule["resize"] == "crop" else "stretched or shrunk"
    colour = "grey" if rule["channels"] == 1 else "colour"
    scale = f" Arrays that are not bytes hold numbers from 0 to {rule['value_max']:g}."
    return f"Images are {how} to {rule['height']} x {rule['width']} pixels, {colour}.{scale}"


def _data(facts: Mapping[str, Any]) -> str:
    data = facts["data"]
    head = f"## Data\n\n{data['rows']} rows, SHA-256 of the content `{data['fingerprint']}`."
    if not facts["classes"]:
        return head
    lines = [
        f"| {_plain(label)} | {rows} |" for label, rows in zip(facts["classes"], data["class_counts"], strict=True)
    ]
    return "\n".join([head, "", "| class | rows |", "|---|---|", *lines])


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
    head = "## Members\n\nThe scores are the weighted mean of these models."
    table = ["| file | candidate | trial | fold | weight | features |", "|---|---|---|---|---|---|"]
    return "\n".join([head, "", *table, *rows])


def _limits(facts: Mapping[str, Any]) -> str:
    return (
        "## Limits\n\n"
        "- Scores hold for new data of the same kind as the training data. Other cameras, places or groups were not "
        "tested.\n"
        f"- Every image is given one of the {len(facts['classes'])} classes above, also one that shows none of them.\n"
        "- Probabilities come from the models as they are; calibration was not checked unless a score above says so.\n"
        "- Nothing is known here about how the data was collected, about consent, or about bias in it."
    )


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
