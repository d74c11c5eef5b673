"""The cache is written whole or not at all, and lies where the user says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.core.data import DataSpec, Finding
from automl.data.cache import cache_key, cache_root, prepared, scratch
from automl.data.folder import write_spec
from automl.errors import DataError, MachineError

SPEC = DataSpec("d", "image", 2, (1, 1, 1), ("a", "b"), (1, 1), "f" * 64, {"kind": "image", "height": 1})
FINDINGS = [Finding("x", "info", "ä → b")]


def build(folder: Path) -> None:
    np.save(folder / "X.npy", np.zeros((2, 1, 1, 1), np.uint8))
    np.save(folder / "y.npy", np.arange(2))
    write_spec(folder, SPEC, FINDINGS)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"AUTOML_CACHE": "/x", "XDG_CACHE_HOME": "/y"}, "/x"),
        ({"XDG_CACHE_HOME": "/y"}, "/y/automl"),
        ({"HOME": "/home/me"}, "/home/me/.cache/automl"),
    ],
    ids=["own", "xdg", "home"],
)
def test_the_cache_lies_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name in ("AUTOML_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert cache_root() == Path(expected)


def test_what_is_kept_is_not_built_again(tmp_path: Path) -> None:
    first = prepared(tmp_path, "key", build)

    again = prepared(tmp_path, "key", lambda folder: pytest.fail(f"built again in {folder}"))

    assert again.spec == first.spec == SPEC
    assert again.findings == tuple(FINDINGS)


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        build(folder)
        raise DataError(f"no good: {folder.name}")

    with pytest.raises(DataError, match=r"no good"):
        prepared(tmp_path, "key", fail)

    assert list((tmp_path / "data").iterdir()) == []


def test_another_process_that_was_faster_wins(tmp_path: Path) -> None:
    def race(folder: Path) -> None:
        build(folder)
        prepared(tmp_path, "key", build)

    data = prepared(tmp_path, "key", race)

    assert data.is_whole()
    assert [p.name for p in (tmp_path / "data").iterdir()] == ["key"]


def test_a_full_disk_is_the_machines_fault(tmp_path: Path) -> None:
    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device", str(folder))

    with pytest.raises(MachineError, match=r"the cache cannot be written .No space left on device"):
        prepared(tmp_path, "key", full)


def test_scratch_is_private_and_removed(tmp_path: Path) -> None:
    with scratch(tmp_path) as folder:
        (folder / "x").mkdir()
        assert folder.stat().st_mode & 0o077 == 0

    assert not folder.exists()


def test_keys_depend_on_values_not_on_their_order() -> None:
    assert cache_key({"a": 1, "b": [2, "ü"]}) == cache_key({"b": [2, "ü"], "a": 1})
    assert cache_key({"a": 1}) != cache_key({"a": 2})


@pytest.mark.parametrize("damaged", ["{", "{}", "[]", '{"name": 1}'], ids=["cut", "empty", "list", "strange"])
def test_damaged_facts_are_prepared_anew(tmp_path: Path, damaged: str) -> None:
    place = prepared(tmp_path, "key", build).folder
    (place / "spec.json").write_text(damaged)
    assert prepared(tmp_path, "key", build).spec == SPEC
