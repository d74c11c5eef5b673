from __future__ import annotations

import subprocess
import sys
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """The wheel as a user gets it, built without a network from what lies here."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return ZipFile(next(out.glob("*.whl")))


def metadata(wheel: ZipFile) -> dict[str, list[str]]:
    name = next(n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
    parsed = Parser().parsestr(wheel.read(name).decode())
    return {key: parsed.get_all(key, []) for key in parsed}


def test_every_search_space_is_inside_of_the_package(wheel: ZipFile) -> None:
    ours = {f"automl/{p.relative_to(ROOT).as_posix()}" for p in (ROOT / "search_spaces").rglob("*.toml")}
    assert ours
    assert ours <= set(wheel.namelist())


def test_every_module_is_inside(wheel: ZipFile) -> None:
    ours = {p.relative_to(ROOT).as_posix() for p in (ROOT / "automl").rglob("*.py")}
    assert ours <= set(wheel.namelist())


def test_type_checkers_are_told_of_the_types(wheel: ZipFile) -> None:
    assert "automl/py.typed" in wheel.namelist()


def test_nothing_but_the_package_is_inside(wheel: ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"automl"}


def test_nothing_built_or_cached_is_inside(wheel: ZipFile) -> None:
    assert [n for n in wheel.namelist() if n.endswith((".pyc", ".so", ".db")) or "__pycache__" in n] == []


def test_the_command_is_declared(wheel: ZipFile) -> None:
    name = next(n for n in wheel.namelist() if n.endswith("entry_points.txt"))
    assert "automl = automl.__main__:main" in wheel.read(name).decode()


def test_the_licence_goes_along(wheel: ZipFile) -> None:
    assert any(n.endswith("LICENSE") for n in wheel.namelist())
    assert metadata(wheel)["License-Expression"] == ["Apache-2.0"]


def test_torch_is_bounded_above_so_that_no_untested_release_comes_along(wheel: ZipFile) -> None:
    torch = next(r for r in metadata(wheel)["Requires-Dist"] if r.startswith("torch"))
    assert "<" in torch
    assert ">=" in torch


def test_what_only_tests_need_is_an_extra(wheel: ZipFile) -> None:
    tools = [r for r in metadata(wheel)["Requires-Dist"] if r.startswith(("pytest", "mypy", "ruff"))]
    assert tools
    assert all("extra == 'test'" in r.replace('"', "'") for r in tools)


def test_the_version_is_that_of_the_package(wheel: ZipFile) -> None:
    import automl

    assert metadata(wheel)["Version"] == [automl.__version__]
