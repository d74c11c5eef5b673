"""A candidate whose package is missing is left out and told, unless it was asked for by name."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from automl import registry
from automl.core.request import SearchRequest
from automl.errors import UserError
from automl.run import setup


@pytest.fixture(autouse=True)
def _without_xgboost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "find_spec", lambda name: None if name == "xgboost" else find_spec(name))


def candidates(**fields: object) -> list[str]:
    request = SearchRequest("tabular-clf", **fields)  # type: ignore[arg-type]
    return setup._candidates(request, registry.resolve("task", "tabular-clf"))


def test_a_candidate_without_its_package_is_left_out() -> None:
    assert "xgboost" not in candidates()
    assert {"gbdt", "tabm"} <= set(candidates())


def test_a_candidate_that_is_asked_for_stays_and_is_refused_with_its_package() -> None:
    assert candidates(include=("xgboost",)) == ["xgboost"]
    with pytest.raises(UserError, match=r"candidate xgboost needs 'xgboost'. Run: pip install xgboost"):
        setup.preload("tabular-clf", ["xgboost"])


def test_what_is_left_out_is_told_with_the_way_to_have_it() -> None:
    (finding,) = setup._absent_findings(SearchRequest("tabular-clf"))
    assert finding.code == "candidate-left-out"
    assert finding.message.endswith("pip install xgboost")


@pytest.mark.parametrize("fields", [{"include": ("gbdt",)}, {"exclude": ("xgboost",)}], ids=["other", "excluded"])
def test_a_candidate_that_is_not_wanted_needs_no_word(fields: dict[str, tuple[str, ...]]) -> None:
    assert setup._absent_findings(SearchRequest("tabular-clf", **fields)) == []  # type: ignore[arg-type]


def test_no_candidate_left_is_refused() -> None:
    others = tuple(name for name in registry.candidates("tabular-clf") if name != "xgboost")
    with pytest.raises(UserError, match="no candidate is left"):
        candidates(exclude=others)
