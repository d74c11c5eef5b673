from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.candidates.tabular.encoder_options import EncoderOptions
from automl.candidates.tabular.encoding import encoded
from automl.candidates.tabular.encoding_cost import encoded_width, encoding_seconds
from automl.testing.context import LocalContext, mixed_table

DATA = mixed_table(300)


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"numbers": "standard", "missing": "impute", "categories": "onehot"},
        {"numbers": "quantile", "missing": "impute", "categories": "target", "texts": 0},
        {"categories": "frequency", "texts": 0},
    ],
    ids=["raw", "one-hot", "target", "frequency"],
)
def test_the_width_is_near_what_it_turns_out_to_be(chosen: dict[str, Any], tmp_path: Path) -> None:
    ctx = LocalContext(np.arange(200), np.arange(200, 300), 3, tmp_path)
    options = EncoderOptions(**{"texts": 10, **chosen})
    wide = encoded(DATA, ctx, options).X.shape[1]
    assert wide / 1.6 < encoded_width(DATA.spec, options) < wide * 1.6


def test_rows_and_words_take_time() -> None:
    few, many = mixed_table(300).spec, mixed_table(3000).spec
    assert encoding_seconds(few, EncoderOptions()) < encoding_seconds(many, EncoderOptions())
    assert encoding_seconds(many, EncoderOptions(texts=0)) < encoding_seconds(many, EncoderOptions())
