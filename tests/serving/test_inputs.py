"""A manifest says which kind of input a model takes, and that kind keeps its promises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.serving.errors import InputError, ModelError
from automl.serving.image_input import ImageInput
from automl.serving.image_rule import ImageRule
from automl.serving.inputs import KINDS, Input, input_of
from automl.serving.manifest import Manifest, read_manifest
from automl.testing.tiny import tiny_artifact
from automl.testing.tiny_series import tiny_series_artifact
from automl.testing.tiny_tables import tiny_table_artifact


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("inputs")
    tiny_artifact(root / "image", root / "i")
    tiny_table_artifact(root / "table", root / "t")
    tiny_series_artifact(root / "series", root / "s")
    return {kind: root / kind for kind in KINDS}


@pytest.fixture(params=KINDS)
def manifest(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Manifest:
    return read_manifest(folders[request.param])


def test_every_kind_is_made_by_its_own_module(manifest: Manifest) -> None:
    made = input_of(manifest)
    assert type(made).__module__ == f"automl.serving.{KINDS[manifest.input['kind']]}"


@pytest.mark.parametrize(
    ("shape", "batch"), [((8, 8, 1), 256), ((28, 28, 1), 256), ((168, 224, 3), 4), ((2000, 2000, 4), 1)], ids=str
)
def test_the_larger_the_images_the_fewer_at_once(shape: tuple[int, int, int], batch: int) -> None:
    rows = np.zeros((300, *shape), np.uint8) if np.prod(shape) < 10_000 else np.zeros((5, *shape), np.uint8)
    sizes = [len(rows[part]) for part in ImageInput(ImageRule(*shape)).batches(rows)]
    assert (max(sizes), sum(sizes)) == (batch, len(rows))


def test_every_row_is_in_one_batch(manifest: Manifest) -> None:
    made = input_of(manifest)
    rows = made.made_up(300, np.random.default_rng(0))
    numbers = np.concatenate([np.arange(300)[part] for part in made.batches(rows)])
    assert sorted(numbers.tolist()) == list(range(300))
    assert list(made.batches(rows[:0])) == []


def test_made_up_rows_are_rows_of_the_kind(manifest: Manifest) -> None:
    made = input_of(manifest)
    rows = made.made_up(9, np.random.default_rng(0))
    made.check(rows)
    assert len(rows) == 9
    assert len(rows[:0]) == 0


def test_members_with_equal_keys_read_equal_numbers(manifest: Manifest) -> None:
    made = input_of(manifest)
    rows = made.made_up(5, np.random.default_rng(1))
    by_key: dict[str, np.ndarray] = {}
    for member in manifest.members:
        features = made.features(member)
        found = by_key.setdefault(features.key, features.compute(rows))
        np.testing.assert_array_equal(features.compute(rows), found)
        assert len(found) == 5


def test_no_rows_give_no_numbers(manifest: Manifest) -> None:
    made = input_of(manifest)
    features = made.features(manifest.members[0])
    assert len(features.compute(made.made_up(3, np.random.default_rng(0))[:0])) == 0


@pytest.mark.parametrize("X", [None, "rows", 3, [1, 2], {"a": 1}], ids=repr)
def test_what_is_no_row_of_the_kind_is_refused(manifest: Manifest, X: Any) -> None:
    made: Input = input_of(manifest)
    with pytest.raises(InputError, match=r"^X: .* needed.* Got "):
        made.check(X)


@pytest.mark.parametrize("kind", ["video", "", None, 3, ["table"], "os"], ids=repr)
def test_a_kind_that_is_not_known_is_refused_with_those_that_are(folders: dict[str, Path], kind: Any) -> None:
    manifest = read_manifest(folders["table"])
    changed = replace(manifest, input={**manifest.input, "kind": kind})
    with pytest.raises(ModelError, match=r"input kinds known here: image, table, series. Got .* Update"):
        input_of(changed)
