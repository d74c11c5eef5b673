"""An artifact as an MLflow model: the few files that MLflow wants beside it.

Written by hand from the documented storage format, https://mlflow.org/docs/latest/ml/model/#storage-format, as
models-from-code with no pickle: `pyfunc.log_model` would run the model's code here and spend 0.6 CPU-s on comparing
requirements with every installed package. A test loads the result with `mlflow.pyfunc`.
"""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from automl.core.data import DataSpec

ARTIFACT = "artifacts/model"
"""Where the artifact lies in the model folder."""
_MOST_EXAMPLE_VALUES = 4096


@dataclass(frozen=True)
class ModelFacts:
    """What the MLmodel file says.

    Attributes:
        created: Unix seconds.
    """

    model_id: str
    run_id: str
    location: str
    mlflow_version: str
    created: float
    size_bytes: int


def write_model_files(folder: Path, artifact: Path, script: Path, spec: DataSpec, facts: ModelFacts) -> None:
    """Write everything but the artifact itself into folder."""
    shutil.copyfile(script, folder / script.name)
    (folder / "requirements.txt").write_text(_requirements(artifact, facts.mlflow_version), encoding="utf-8")
    (folder / "python_env.yaml").write_text(
        f"python: {platform.python_version()}\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n",
        encoding="utf-8",
    )
    example = _example(spec)
    if example is not None:
        key = "dataframe_split" if spec.input.get("kind") == "table" else "inputs"
        (folder / "input_example.json").write_text(json.dumps(example), encoding="utf-8")
        (folder / "serving_input_example.json").write_text(json.dumps({key: example}), encoding="utf-8")
    # JSON is YAML, so no YAML writer is needed
    (folder / "MLmodel").write_text(json.dumps(mlmodel(script.name, spec, facts), indent=1), encoding="utf-8")


def mlmodel(script: str, spec: DataSpec, facts: ModelFacts) -> dict[str, object]:
    """Return the content of the MLmodel file."""
    content: dict[str, object] = {
        "artifact_path": facts.location,
        "flavors": {
            "python_function": {
                "artifacts": {"model": {"path": ARTIFACT, "uri": ARTIFACT}},
                "code": None,
                "env": {"virtualenv": "python_env.yaml"},
                "loader_module": "mlflow.pyfunc.loaders.code_model",
                "model_code_path": script,
                "python_version": platform.python_version(),
                "streamable": False,
            }
        },
        "is_signature_from_type_hint": False,
        "mlflow_version": facts.mlflow_version,
        "model_id": facts.model_id,
        "model_uuid": facts.model_id,
        "model_size_bytes": facts.size_bytes,
        "run_id": facts.run_id,
        "signature": {"inputs": _inputs(spec), "outputs": json.dumps(_outputs(spec)), "params": None},
        "metadata": {"input_shape": list(spec.shape), "classes": list(spec.classes), **_column_kinds(spec)},
        "utc_time_created": datetime.fromtimestamp(facts.created, UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
    }
    if _example(spec) is not None:
        content["saved_input_example_info"] = {
            "artifact_path": "input_example.json",
            "serving_input_path": "serving_input_example.json",
            **(
                {"type": "dataframe", "pandas_orient": "split"}
                if spec.input.get("kind") == "table"
                else {"type": "ndarray"}
            ),
        }
    return content


def _inputs(spec: DataSpec) -> str | None:
    """Return MLflow's schema of what `predict` takes: the columns of a table, each of any type.

    A type would refuse what the model reads well: whole numbers are no `double` to MLflow, numbers no `string`. Images
    have no schema at all, as they come as arrays of several types and as data frames.
    """
    if spec.input.get("kind") != "table":
        return None
    return json.dumps([{"type": "any", "name": c["name"], "required": True} for c in spec.input["columns"]])


def _column_kinds(spec: DataSpec) -> dict[str, dict[str, str]]:
    if spec.input.get("kind") != "table":
        return {}
    return {"columns": {column["name"]: column["kind"] for column in spec.input["columns"]}}


def _outputs(spec: DataSpec) -> list[dict[str, object]]:
    """Return MLflow's schema of what `predict` gives: the prediction, and for classes a probability of each."""
    columns = {"prediction": "string" if spec.classes else "double"} | {f"proba_{c}": "float" for c in spec.classes}
    return [{"type": kind, "name": name, "required": True} for name, kind in columns.items()]


def _example(spec: DataSpec) -> object:
    """Return a black image or a flat series as lists, or one row of a table by columns; None where it is large."""
    import numpy as np

    size = np.prod(spec.shape[:2] if spec.kind == "series" else spec.shape)
    if size > _MOST_EXAMPLE_VALUES and spec.kind != "text":
        return None
    if spec.kind == "series":
        return np.zeros((1, *spec.shape[:2]), int).tolist()
    if spec.kind != "image":
        columns = spec.input["columns"]
        return {"columns": [column["name"] for column in columns], "data": [[_value(column) for column in columns]]}
    return np.zeros((1, *spec.shape), int).tolist()


def _value(column: Mapping[str, Any]) -> object:
    """Return a value that a column may have."""
    if column["kind"] == "category":
        return next(iter(column["categories"]), None)
    if column["kind"] == "date":
        return None if column.get("format") else "2024-01-31"
    return {"number": 0.0, "boolean": True, "text": "some words"}[column["kind"]]


def _requirements(artifact: Path, mlflow_version: str) -> str:
    named = artifact / "requirements.txt"
    lines = named.read_text(encoding="utf-8").splitlines() if named.is_file() else ["numpy", "onnxruntime", "pillow"]
    return "\n".join([f"mlflow=={mlflow_version}", *(line for line in lines if line.strip())]) + "\n"
