from __future__ import annotations

import ast
from typing import Any

import pytest

from automl.registry import BUILT_IN

HEAVY = {"torch", "ray", "mlflow", "sklearn", "optuna", "pandas", "onnx", "onnxruntime", "rich", "skl2onnx", "lightgbm",
         "onnxmltools", "onnxscript", "pyarrow", "scipy", "safetensors"}  # fmt: skip
SIBLINGS = ("searchers", "schedulers", "tasks", "data", "candidates", "executors", "journals", "recorders", "ensembles",
            "calibration", "exporters", "report", "spaces")  # fmt: skip
FOUNDATION = {"core", "errors"}
REACH = {
    "serving": {"serving"},
    "core": FOUNDATION,
    "errors": set(),
    "registry": {"errors"},
    "controller": FOUNDATION,
    **{name: {*FOUNDATION, "serving", "registry", name} for name in SIBLINGS},
    "model": {*FOUNDATION, "serving", "exporters", "registry", "model"},
    "run": {*FOUNDATION, *SIBLINGS, "serving", "registry", "controller", "run", "model"},
    "api": {*FOUNDATION, "serving", "registry", "run", "model"},
    "cli": {*FOUNDATION, *SIBLINGS, "serving", "registry", "run", "model", "api", "cli", "__main__", ""},
}
"""Part of the package → parts it may import; "" is the package itself."""


def part(module: str) -> str:
    return [*module.split("."), ""][1]


@pytest.mark.parametrize("name", REACH, ids=str)
def test_a_part_imports_only_what_lies_below_it(package: Any, name: str) -> None:
    wrong = [
        f"{source.name}:{i.line} imports {i.target}"
        for source in package.sources.values() if part(source.name) == name
        for i in source.imports()
        if (owner := package.owner(i.target)) is not None and part(owner) not in REACH[name]
    ]  # fmt: skip
    assert wrong == []


def test_every_part_has_a_rule(package: Any) -> None:
    assert {part(name) for name in package.sources} - {"", "__main__", "testing"} <= set(REACH)


def test_nothing_but_testing_imports_testing(package: Any) -> None:
    assert [
        f"{source.name}:{i.line}"
        for source in package.sources.values() if part(source.name) != "testing"
        for i in source.imports() if part(package.owner(i.target) or "") == "testing"
    ] == []  # fmt: skip


def test_only_serving_which_is_copied_into_artifacts_imports_relatively(package: Any) -> None:
    nodes = ((s, n) for s in package.sources.values() for n in ast.walk(s.tree) if isinstance(n, ast.ImportFrom))
    assert {part(s.name) for s, n in nodes if n.level} <= {"serving"}


def test_no_import_is_starred(package: Any) -> None:
    assert [s.name for s in package.sources.values() for i in s.imports() if i.target.endswith("*")] == []


def test_there_is_no_import_cycle(package: Any) -> None:
    graph = {name: set(edges) for name, edges in package.eager_edges().items()}
    while leaves := [name for name, edges in graph.items() if not edges & graph.keys()]:
        for leaf in leaves:
            del graph[leaf]
    assert graph == {}, "these modules import each other, or import modules that do"


def closure(package: Any, *starts: str) -> set[str]:
    """All modules of ours that are loaded with these, their packages included."""
    edges, seen, todo = package.eager_edges(), set(), list(starts)
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += [*edges[name], *([name.rpartition(".")[0]] if "." in name else [])]
    return seen


CANDIDATES = sorted({target.partition(":")[0] for target in BUILT_IN["candidate"].values()})


@pytest.mark.parametrize("start", ["automl", "automl.__main__", "automl.cli.main", "automl.api", *CANDIDATES])
def test_loading_this_module_loads_no_heavy_package(package: Any, start: str) -> None:
    heavy = [
        f"{name}:{i.line} imports {i.target}"
        for name in sorted(closure(package, start))
        for i in package.sources[name].imports() if i.eager and i.target.partition(".")[0] in HEAVY
    ]  # fmt: skip
    assert heavy == []


def test_serving_needs_only_numpy_pillow_and_onnxruntime(package: Any) -> None:
    import sys

    allowed = {*sys.stdlib_module_names, "numpy", "PIL", "onnxruntime", "automl"}
    used = {i.target.partition(".")[0] for n, s in package.sources.items() if part(n) == "serving" for i in s.imports()}
    assert used <= allowed


def test_core_needs_only_numpy(package: Any) -> None:
    import sys

    allowed = {*sys.stdlib_module_names, "numpy", "automl"}
    used = {i.target.partition(".")[0] for n, s in package.sources.items() if part(n) == "core" for i in s.imports()}
    assert used <= allowed
