"""Every block of the README is run as it stands, in one folder and in its order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block of the README."""

    language: str
    text: str


def blocks() -> list[Block]:
    """Return the fenced blocks of the README in their order."""
    return [Block(*found) for found in _FENCE.findall((ROOT / "README.md").read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One working folder for all blocks: later ones use what earlier ones made."""
    return tmp_path_factory.mktemp("readme")


def run(block: Block, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a block with this interpreter's `automl` on the path; make's targets are only looked up."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {**os.environ, "PATH": path, "AUTOML_CACHE": str(folder / "cache"), "PYTHONWARNINGS": "default"}
    text = re.sub(r"^make ", f"make -n -C {ROOT} ", block.text, flags=re.MULTILINE)
    command = ["bash", "-euc", text] if block.language == "bash" else [sys.executable, "-c", text]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=280)


def test_readme_has_shell_and_python_blocks_and_no_others() -> None:
    assert {block.language for block in blocks()} == {"bash", "python"}


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(blocks())))
def test_block_runs_as_it_stands(number: int, folder: Path) -> None:
    done = run(blocks()[number], folder)
    assert done.returncode == 0, done.stderr
