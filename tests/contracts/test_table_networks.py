"""The contract suite over networks for tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from automl.candidates.tabular import mlp, network_candidate, tabm
from automl.core.space import CandidateSpace, Configuration
from automl.spaces.space_file import read_space
from automl.testing.table_suite import TABLE_OF_VALUES, TableCandidateContract

SPACES = Path(__file__).parents[2] / "search_spaces"
SMALL = {"width": 64, "bins": 8, "epochs": 12, "patience": 6, "texts": 50, "lr": 5e-3}


def space_of(task: str, name: str) -> CandidateSpace:
    file = SPACES / task / f"{name}.toml"
    return read_space(file.read_text(encoding="utf-8"), file.name)


def completed(task: str, name: str, **values: Any) -> Configuration:
    return space_of(task, name).complete(values)


class TestMlp(TableCandidateContract):
    candidate = mlp.CANDIDATE
    configuration = completed("tabular-clf", "mlp", **SMALL)
    module = mlp.__name__
    space = space_of("tabular-clf", "mlp")


class TestMlpOfValues(TableCandidateContract):
    candidate = mlp.CANDIDATE
    configuration = completed("tabular-reg", "mlp", **SMALL)
    module = network_candidate.__name__
    space = space_of("tabular-reg", "mlp")
    data = TABLE_OF_VALUES


class TestTabm(TableCandidateContract):
    candidate = tabm.CANDIDATE
    configuration = completed("tabular-clf", "tabm", **SMALL)
    module = tabm.__name__
    space = space_of("tabular-clf", "tabm")


class TestTabmOfValues(TableCandidateContract):
    candidate = tabm.CANDIDATE
    configuration = completed("tabular-reg", "tabm", **SMALL)
    module = tabm.__name__
    space = space_of("tabular-reg", "tabm")
    data = TABLE_OF_VALUES
