"""The contract suite over boosted trees on tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from automl.candidates.tabular import gbdt, xgboost
from automl.core.space import CandidateSpace, Configuration
from automl.spaces.space_file import read_space
from automl.testing.table_suite import TABLE_OF_VALUES, TableCandidateContract

SPACES = Path(__file__).parents[2] / "search_spaces"


def space_of(task: str, name: str) -> CandidateSpace:
    file = SPACES / task / f"{name}.toml"
    return read_space(file.read_text(encoding="utf-8"), file.name)


def completed(task: str, name: str, **values: Any) -> Configuration:
    return space_of(task, name).complete(values)


class TestGbdt(TableCandidateContract):
    candidate = gbdt.CANDIDATE
    configuration = completed("tabular-clf", "gbdt", learning_rate=0.1, min_data_in_leaf=5)
    space = space_of("tabular-clf", "gbdt")


class TestGbdtOfValues(TableCandidateContract):
    candidate = gbdt.CANDIDATE
    configuration = completed("tabular-reg", "gbdt", learning_rate=0.1, min_data_in_leaf=5)
    space = space_of("tabular-reg", "gbdt")
    data = TABLE_OF_VALUES


class TestXGBoost(TableCandidateContract):
    candidate = xgboost.CANDIDATE
    configuration = completed("tabular-clf", "xgboost", learning_rate=0.1)
    space = space_of("tabular-clf", "xgboost")


class TestXGBoostOfValues(TableCandidateContract):
    candidate = xgboost.CANDIDATE
    configuration = completed("tabular-reg", "xgboost", learning_rate=0.1)
    space = space_of("tabular-reg", "xgboost")
    data = TABLE_OF_VALUES
