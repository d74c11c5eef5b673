"""Every built-in candidate is held to the contract of its kind of data by a suite of its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from automl.registry import BUILT_IN

TESTS = Path(__file__).parents[1]
SUITES = {
    "image": "CandidateContract",
    "tabular": "TableCandidateContract",
    "text": "TextCandidateContract",
    "sequence": "SeriesCandidateContract",
}


def modules_under(suite: str) -> set[str]:
    """Return the modules imported by the test files that have a class of a suite."""
    found = set()
    for path in TESTS.rglob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        bases = {ast.unparse(base) for node in tree.body if isinstance(node, ast.ClassDef) for base in node.bases}
        if suite in bases:
            imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
            found |= {f"{node.module}.{name.name}" for node in imports for name in node.names}
    return found


@pytest.mark.parametrize("kind", SUITES)
def test_every_candidate_of_a_kind_is_run_through_its_suite(kind: str) -> None:
    imported = modules_under(SUITES[kind])
    listed = [target.partition(":")[0] for name, target in BUILT_IN["candidate"].items() if name.startswith(f"{kind}/")]
    assert listed
    assert [m for m in listed if m not in imported and f"{m}.CANDIDATE" not in imported] == []
