"""A candidate whose package is missing is left out and told, unless it was asked for by name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

from automl import registry
from automl.core.request import SearchRequest
from automl.errors import UserError
from automl.run import available


@pytest.fixture(autouse=True)
def _without_xgboost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(available, "find_spec", lambda name: None if name == "xgboost" else find_spec(name))


def candidates(**fields: object) -> list[str]:
    request = SearchRequest("tabular-clf", **fields)  # type: ignore[arg-type]
    return available.chosen_candidates(request, registry.resolve("task", "tabular-clf"))


def test_a_candidate_without_its_package_is_left_out() -> None:
    assert "xgboost" not in candidates()
    assert {"gbdt", "tabm"} <= set(candidates())


def test_a_candidate_that_is_asked_for_stays_and_is_refused_with_its_package() -> None:
    assert candidates(include=("xgboost",)) == ["xgboost"]
    with pytest.raises(UserError, match=r"candidate xgboost: it needs 'xgboost'. To use it: pip install xgboost"):
        available.preload(SearchRequest("tabular-clf"), ["xgboost"])


def test_what_is_left_out_is_told_with_the_way_to_have_it() -> None:
    (finding,) = available.absent_findings(SearchRequest("tabular-clf"))
    assert finding.code == "candidate-left-out"
    assert finding.message.endswith("pip install xgboost")


@pytest.mark.parametrize("fields", [{"include": ("gbdt",)}, {"exclude": ("xgboost",)}], ids=["other", "excluded"])
def test_a_candidate_that_is_not_wanted_needs_no_word(fields: dict[str, tuple[str, ...]]) -> None:
    assert available.absent_findings(SearchRequest("tabular-clf", **fields)) == []  # type: ignore[arg-type]


def test_no_candidate_left_is_refused() -> None:
    others = tuple(name for name in registry.candidates("tabular-clf") if name != "xgboost")
    with pytest.raises(UserError, match="no candidate is left"):
        candidates(exclude=others)


class Weighty:
    """A candidate that starts from weights."""

    requires = ()

    def lacks(self, resources: Mapping[str, Path]) -> str:
        """Return what is missing."""
        return "" if "weights" in resources else "it needs weights. To use it: --weights DIR"


def test_a_candidate_whose_weights_lie_nowhere_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "candidate", lambda task, name: Weighty())
    with pytest.raises(UserError, match=r"candidate heavy: it needs weights. To use it: --weights DIR, or --exclude"):
        available.preload(SearchRequest("image-clf"), ["heavy"])
    assert available.preload(SearchRequest("image-clf", weights="there"), ["heavy"])


def test_what_was_named_beside_the_data_is_handed_on() -> None:
    named = SearchRequest("text-clf", vectors="glove.txt", weights="bert")
    assert available.resources(named) == {"vectors": Path("glove.txt"), "weights": Path("bert")}
