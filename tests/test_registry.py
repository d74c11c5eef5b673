from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pytest

from automl import registry
from automl.errors import UserError
from automl.registry import BUILT_IN, names, resolve

EVERYTHING = [(group, name) for group, table in BUILT_IN.items() for name in table]


@pytest.mark.parametrize(("group", "name"), EVERYTHING, ids=[f"{g}-{n}" for g, n in EVERYTHING])
def test_everything_that_is_listed_can_be_resolved(group: str, name: str) -> None:
    assert resolve(group, name) is not None


@pytest.mark.parametrize("name", BUILT_IN["candidate"])
def test_a_candidate_is_registered_under_its_own_name(name: str) -> None:
    assert resolve("candidate", name).name == name


@pytest.mark.parametrize("name", BUILT_IN["task"])
def test_a_task_is_registered_under_its_own_name_and_names_known_candidates(name: str) -> None:
    info = resolve("task", name).info
    assert info.name == name
    assert set(info.candidates) <= set(names("candidate"))


def test_built_ins_are_listed_in_their_order() -> None:
    assert names("searcher")[: len(BUILT_IN["searcher"])] == list(BUILT_IN["searcher"])


def test_an_unknown_name_is_an_error_with_a_suggestion_and_the_known_names() -> None:
    with pytest.raises(UserError, match=r"'ash' is not a scheduler\. Did you mean asha\? Known: full, asha\."):
        resolve("scheduler", "ash")


def test_a_name_like_no_other_gets_no_suggestion() -> None:
    with pytest.raises(UserError, match=r"'quantum' is not a executor\. Known|'quantum' is not an executor\. Known"):
        resolve("executor", "quantum")


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three plugins: one that works, one whose package is missing, one that is called like a built-in."""
    given = [
        EntryPoint("sqrt", "math:sqrt", "automl.searcher"),
        EntryPoint("broken", "no_such_package.searcher:make", "automl.searcher"),
        EntryPoint("random", "math:cos", "automl.searcher"),
    ]

    def found(**selection: str) -> list[EntryPoint]:
        return [e for e in given if e.matches(**selection)]

    monkeypatch.setattr(registry, "entry_points", found)


@pytest.mark.usefixtures("plugins")
def test_a_plugin_is_found_on_a_miss() -> None:
    assert resolve("searcher", "sqrt")(9.0) == 3.0
    assert names("searcher")[-2:] == ["broken", "sqrt"]


@pytest.mark.usefixtures("plugins")
def test_a_plugin_does_not_hide_a_built_in() -> None:
    assert resolve("searcher", "random").__module__ == "automl.searchers.random"
    assert names("searcher").count("random") == 1


@pytest.mark.usefixtures("plugins")
def test_a_missing_package_is_named_with_the_command_to_install_it() -> None:
    with pytest.raises(
        UserError, match=r"searcher 'broken' needs the package 'no_such_package'.*pip install no_such_package"
    ):
        resolve("searcher", "broken")


def test_plugins_of_this_environment_are_looked_up_by_group() -> None:
    found: Any = entry_points(group="automl.searcher")
    assert set(names("searcher")) == {*BUILT_IN["searcher"], *(e.name for e in found)}
