"""Tiny artifacts of tables are whole artifacts: they verify, they load, and what they hold can be chosen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.exporters.verify import check_artifact, verify_artifact, verify_self
from automl.serving.manifest import read_manifest
from automl.serving.model import Model
from automl.testing.context import LocalContext, mixed_table
from automl.testing.tiny_tables import (
    FOLDS,
    PLAN,
    table_columns,
    tiny_table_artifact,
    write_table_csv,
    write_table_member,
)


@pytest.fixture(scope="module", params=[0, 2, 3], ids=["values", "two", "three"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """Write an artifact; return it with its number of classes."""
    root = tmp_path_factory.mktemp("tiny")
    tiny_table_artifact(root / "a", root / "m", classes=request.param)
    return root / "a", request.param


def test_it_predicts_the_same_in_a_fresh_process(made: tuple[Path, int]) -> None:
    folder, classes = made
    rows = mixed_table(20, classes=classes, seed=5).X
    found = verify_artifact(folder, rows, Model.load(folder).predict_scores(rows))
    assert (found.rows, found.max_difference) == (20, 0.0)


def test_its_facts_are_those_of_the_mixed_table(made: tuple[Path, int]) -> None:
    folder, classes = made
    manifest, spec = check_artifact(folder), mixed_table(60, classes=classes).spec
    assert (manifest.classes, dict(manifest.input)) == (spec.classes, spec.input)
    assert manifest.task == ("tabular-clf" if classes else "tabular-reg")
    assert len(manifest.members) == FOLDS
    assert sum(member.weight for member in manifest.members) == pytest.approx(1)


def test_its_members_differ(made: tuple[Path, int]) -> None:
    manifest = read_manifest(made[0])
    assert len({manifest.files[member.file].sha256 for member in manifest.members}) == FOLDS


def test_rows_of_strangers_have_finite_scores(made: tuple[Path, int]) -> None:
    model = Model.load(made[0])
    rows = model.input.made_up(200, np.random.default_rng(0))
    assert np.isfinite(model.predict_scores(rows)).all()


def test_a_wide_plan_makes_wide_graphs(tmp_path: Path) -> None:
    blocks = [*PLAN["blocks"], {"kind": "text_size", "column": 0}]
    plan = {**PLAN, "width": 6, "names": [*PLAN["names"], "characters", "words"], "blocks": blocks}
    tiny_table_artifact(tmp_path / "a", tmp_path / "m", plan=plan)
    assert verify_self(tmp_path / "a").max_difference == 0


@pytest.mark.parametrize(
    ("name", "value"), [("run_name", "mine"), ("metric", "accuracy"), ("scores", {"cv": 0.25, "low": 0.0, "high": 1.0})]
)
def test_facts_can_be_chosen(tmp_path: Path, name: str, value: Any) -> None:
    tiny_table_artifact(tmp_path / "a", tmp_path / "m", **{name: value})
    assert json.dumps(value) in json.dumps(dict(read_manifest(tmp_path / "a").facts))


@pytest.mark.parametrize("classes", [0, 3])
def test_a_member_is_the_same_for_the_same_fold_only(tmp_path: Path, classes: int) -> None:
    graphs = [
        (write_table_member(tmp_path / name, PLAN, classes=classes, fold=fold).folder / "model.onnx").read_bytes()
        for name, fold in (("a", 0), ("b", 0), ("c", 1))
    ]
    assert graphs[0] == graphs[1] != graphs[2]


def test_a_user_sees_labels_dates_and_gaps(tmp_path: Path) -> None:
    data = mixed_table(300)
    columns = table_columns(data)
    assert set(columns["colour"]) == {None, "red", "green", "blue", "violet", "never seen"}
    assert all(day is None or day[:2] == "20" for day in columns["day"])
    assert columns["size"].count(None) == np.isnan(data.X.numbers[:, 0]).sum()
    lines = write_table_csv(tmp_path / "t.csv", columns).read_text(encoding="utf-8").splitlines()
    assert (lines[0], len(lines)) == ("size,wide,new,colour,said,day", 301)


@pytest.mark.parametrize(("share", "most", "held"), [(0.2, 1000, 20), (0.5, 1000, 50), (0.9, 1000, 50), (0.2, 10, 10)])
def test_a_context_holds_out_a_share_but_no_more_than_half(share: float, most: int, held: int) -> None:
    rows = np.random.default_rng(0).permutation(500)[:100]
    parts = LocalContext(rows, np.arange(0), 2, Path("cache")).holdout(share, most=most)
    assert len(parts.held_rows) == held
    assert sorted(np.concatenate(parts).tolist()) == sorted(rows.tolist())
