from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
RULES = re.compile(r"^([a-z]+):", re.MULTILINE)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    links = LINK.findall(document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("block", PYTHON.findall((ROOT / "docs/contributing.md").read_text(encoding="utf-8")))
def test_the_python_shown_to_contributors_runs(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block, "contributing.md", "exec"), {"__name__": "contributing"})
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    targets = set(RULES.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    named = set(re.findall(r"\bmake ([a-z]+)\b(?=[`\s]*(?:#|`|$))", document.read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= targets


def test_the_index_leads_to_every_page() -> None:
    index = ROOT / "docs/index.md"
    linked = {(index.parent / link).resolve() for link in LINK.findall(index.read_text(encoding="utf-8"))}
    assert {name(p) for p in DOCUMENTS} - {name(p) for p in linked} <= {"docs/index.md"}


def test_ci_runs_exactly_what_developers_run() -> None:
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("make")] == ["make check", "make test"]
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
