"""The contract suite over all registered candidates for tables."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from automl.candidates.tabular import baseline, forest, gbdt, knn, linear, mlp, tabm, xgboost
from automl.core.space import CandidateSpace, Configuration
from automl.registry import candidate, candidates, names
from automl.spaces.space_file import read_space
from automl.testing.table_suite import TABLE_OF_VALUES, TableCandidateContract

SPACES = Path(__file__).parents[2] / "search_spaces"


def space_of(task: str, name: str) -> CandidateSpace:
    """Return the built-in space of a candidate for a task."""
    file = SPACES / task / f"{name}.toml"
    return read_space(file.read_text(encoding="utf-8"), file.name)


def classes(name: str, **values: Any) -> Configuration:
    """Return the default configuration for classes with these values."""
    return space_of("tabular-clf", name).complete(values)


def values(name: str, **values: Any) -> Configuration:
    """Return the default configuration for numbers with these values."""
    return space_of("tabular-reg", name).complete(values)


class TestBaseline(TableCandidateContract):
    candidate = baseline.CANDIDATE
    configuration = classes("baseline")
    space = space_of("tabular-clf", "baseline")
    learns = False


class TestBaselineOnValues(TestBaseline):
    configuration = values("baseline")
    space = space_of("tabular-reg", "baseline")
    data = TABLE_OF_VALUES


class TestLinear(TableCandidateContract):
    candidate = linear.CANDIDATE
    configuration = classes("linear", texts=100)
    space = space_of("tabular-clf", "linear")


class TestLinearOnValues(TestLinear):
    configuration = values("linear", texts=100)
    space = space_of("tabular-reg", "linear")
    data = TABLE_OF_VALUES


class TestNearestNeighbours(TableCandidateContract):
    candidate = knn.CANDIDATE
    configuration = classes("knn")
    space = space_of("tabular-clf", "knn")


class TestNearestNeighboursOnValues(TestNearestNeighbours):
    configuration = values("knn")
    space = space_of("tabular-reg", "knn")
    data = TABLE_OF_VALUES


class TestForest(TableCandidateContract):
    candidate = forest.CANDIDATE
    configuration = classes("forest", trees=30)
    space = space_of("tabular-clf", "forest")


class TestForestOnValues(TestForest):
    configuration = values("forest", trees=30)
    space = space_of("tabular-reg", "forest")
    data = TABLE_OF_VALUES


class TestGradientBoosting(TableCandidateContract):
    candidate = gbdt.CANDIDATE
    configuration = classes("gbdt", learning_rate=0.2, num_leaves=8, min_data_in_leaf=5)
    space = space_of("tabular-clf", "gbdt")


class TestGradientBoostingOnValues(TestGradientBoosting):
    configuration = values("gbdt", learning_rate=0.2, num_leaves=8, min_data_in_leaf=5)
    space = space_of("tabular-reg", "gbdt")
    data = TABLE_OF_VALUES


class TestXgboost(TableCandidateContract):
    candidate = xgboost.CANDIDATE
    configuration = classes("xgboost", learning_rate=0.2, max_depth=3)
    space = space_of("tabular-clf", "xgboost")


class TestXgboostOnValues(TestXgboost):
    configuration = values("xgboost", learning_rate=0.2, max_depth=3)
    space = space_of("tabular-reg", "xgboost")
    data = TABLE_OF_VALUES


class TestMlp(TableCandidateContract):
    candidate = mlp.CANDIDATE
    configuration = classes("mlp", width=64, layers=1, embedding_width=4, bins=8, batch_size=64, epochs=20, texts=50)
    module = mlp.__name__
    space = space_of("tabular-clf", "mlp")


class TestMlpOnValues(TestMlp):
    configuration = values("mlp", width=64, layers=1, embedding_width=4, bins=8, batch_size=64, epochs=20, texts=50)
    space = space_of("tabular-reg", "mlp")
    data = TABLE_OF_VALUES


@pytest.mark.slow
class TestTabm(TableCandidateContract):
    candidate = tabm.CANDIDATE
    configuration = classes("tabm", members=8, width=64, layers=1, embedding_width=4, bins=8, batch_size=64, epochs=20)
    module = tabm.__name__
    space = space_of("tabular-clf", "tabm")


@pytest.mark.slow
class TestTabmOnValues(TestTabm):
    configuration = values("tabm", members=8, width=64, layers=1, embedding_width=4, bins=8, batch_size=64, epochs=20)
    space = space_of("tabular-reg", "tabm")
    data = TABLE_OF_VALUES


SUITES = [kind for kind in globals().values() if isinstance(kind, type) and hasattr(kind, "candidate")]


def test_every_candidate_for_tables_is_run_through_the_suite_for_both_tasks() -> None:
    tested = {(suite.candidate.name, bool(suite.data.spec.classes)) for suite in SUITES}
    listed = [name.partition("/")[2] for name in names("candidate") if name.startswith("tabular/")]
    assert tested == set(itertools.product(listed, [True, False]))


@pytest.mark.parametrize("task", ["tabular-clf", "tabular-reg"])
def test_every_candidate_for_tables_names_itself_and_has_a_space(task: str) -> None:
    for name in candidates(task):
        assert candidate(task, name).name == name == space_of(task, name).candidate
