from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pytest

from automl import registry
from automl.errors import UserError
from automl.registry import BUILT_IN, candidate, candidates, names, resolve

EVERYTHING = [(group, name) for group, table in BUILT_IN.items() for name in table]


@pytest.mark.parametrize(("group", "name"), EVERYTHING, ids=[f"{g}-{n}" for g, n in EVERYTHING])
def test_everything_that_is_listed_can_be_resolved(group: str, name: str) -> None:
    assert resolve(group, name) is not None


@pytest.mark.parametrize("name", BUILT_IN["candidate"])
def test_a_candidate_is_registered_under_its_own_name_and_kind_of_data(name: str) -> None:
    found = resolve("candidate", name)
    assert name == f"{found.tasks[0].partition('-')[0]}/{found.name}"


@pytest.mark.parametrize("name", BUILT_IN["task"])
def test_a_task_is_registered_under_its_own_name_and_names_known_candidates(name: str) -> None:
    info = resolve("task", name).info
    assert info.name == name
    assert all(name in candidate(name, listed).tasks for listed in info.candidates)


def test_candidates_of_different_data_may_share_a_name() -> None:
    assert candidate("image-clf", "baseline").tasks == ("image-clf",)
    assert candidate("tabular-reg", "baseline").tasks == ("tabular-clf", "tabular-reg")


def test_the_candidates_of_a_task_are_listed_in_its_order() -> None:
    assert candidates("image-clf")[:6] == ["baseline", "linear", "forest", "gbdt", "cnn", "resnet"]


def test_a_candidate_of_other_data_is_unknown_to_a_task() -> None:
    with pytest.raises(UserError, match="'tabm' is not a candidate"):
        candidate("image-clf", "tabm")


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
    """Plugins: one that works, one whose package is missing, one that is called like a built-in, one candidate."""
    given = [
        EntryPoint("sqrt", "math:sqrt", "automl.searcher"),
        EntryPoint("broken", "no_such_package.searcher:make", "automl.searcher"),
        EntryPoint("random", "math:cos", "automl.searcher"),
        EntryPoint("toy", "automl.testing.toy_candidate:CANDIDATE", "automl.candidate"),
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
def test_a_plugins_candidate_comes_after_those_of_its_task() -> None:
    assert candidates("image-clf")[-1] == "toy"
    assert candidate("image-clf", "toy").name == "toy"


@pytest.mark.usefixtures("plugins")
def test_a_missing_package_is_named_with_the_command_to_install_it() -> None:
    with pytest.raises(
        UserError, match=r"searcher 'broken' needs the package 'no_such_package'.*pip install no_such_package"
    ):
        resolve("searcher", "broken")


def test_plugins_of_this_environment_are_looked_up_by_group() -> None:
    found: Any = entry_points(group="automl.searcher")
    assert set(names("searcher")) == {*BUILT_IN["searcher"], *(e.name for e in found)}


@pytest.mark.parametrize("task", ["tabular-clf", "tabular-reg"])
def test_the_module_of_a_candidate_is_known_without_loading_another(task: str) -> None:
    assert registry.module_of(task, "tabm") == "automl.candidates.tabular.tabm"
    assert registry.module_of("image-clf", "linear") == "automl.candidates.image.linear"
