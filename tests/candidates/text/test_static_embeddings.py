from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from automl.candidates.text.static_embeddings import CANDIDATE
from automl.core.space import Configuration
from automl.spaces.space_file import read_space
from automl.testing.context import ArrayData, LocalContext, one_member
from automl.testing.text_suite import SPOKEN, TextCandidateContract
from automl.testing.tiny_bert import write_bert

VALUES: dict[str, Any] = {"longest": 64, "pooling": "mean-max", "firsts": 1, "l2": 0.003, "class_weights": "none"}
WORDS = {word.lower().strip(".!") for text in SPOKEN.X.texts[0] for word in text.split()}
SIGNS = "\u597d\u574f\u5feb\u8fd9\u4e2a\u5f88\u4e86"
SPACE = Path(__file__).parents[3] / "search_spaces/text-clf/static-embeddings.toml"


class TestStaticEmbeddings(TextCandidateContract):
    candidate = CANDIDATE
    configuration = Configuration("static-embeddings", VALUES)
    space = read_space(SPACE.read_text(encoding="utf-8"), "static-embeddings.toml")

    def context(self, folder: Path, data: ArrayData | None = None) -> LocalContext:
        ctx = super().context(folder, data)
        ctx.resources = {"weights": write_bert(folder / "weights", [*sorted(WORDS), *SIGNS])}
        return ctx


@pytest.mark.parametrize(("pooling", "firsts"), [("mean", 0), ("mean", 4), ("mean-max", 0)])
def test_each_way_of_pooling_learns(pooling: str, firsts: int, tmp_path: Path) -> None:
    ctx = TestStaticEmbeddings().context(tmp_path)
    configuration = Configuration("static-embeddings", {**VALUES, "pooling": pooling, "firsts": firsts})
    CANDIDATE.fit(one_member(configuration), configuration, SPOKEN, ctx)
    assert ctx.reports[0][1] is not None
    assert ctx.reports[0][1] > 0.6
