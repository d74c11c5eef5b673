"""An encoder is found by the kind of a member's features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.serving import encoders
from automl.serving.encoders import ENCODERS, encoder_of
from automl.serving.table import Table

PLAN = {"version": 1, "width": 1, "names": ["a"], "blocks": [{"kind": "numbers", "columns": [0]}]}


def test_a_plan_of_a_table_is_made_ready() -> None:
    encoder = encoder_of("table", PLAN)
    assert encoder.width == 1
    np.testing.assert_array_equal(encoder.compute(Table(np.array([[2.0], [3.0]]))), [[2], [3]])


@pytest.mark.parametrize("kind", ["image", "", "os"], ids=["image", "empty", "module"])
def test_an_unknown_kind_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=rf"encoder: kinds known here: table, text, series. Got '{kind}'"):
        encoder_of(kind, PLAN)


def test_a_malformed_plan_is_refused() -> None:
    with pytest.raises(ValueError, match="version must be 1"):
        encoder_of("table", {"version": 2})


def test_every_encoder_is_a_module_beside_this_one() -> None:
    folder = Path(encoders.__file__).parent
    assert all(target.partition(":")[0].isidentifier() and folder.is_dir() for target in ENCODERS.values())
