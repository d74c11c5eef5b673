from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from automl.candidates.text.tfidf_linear import CANDIDATE
from automl.spaces.space_file import read_space
from automl.testing.text_suite import TextCandidateContract

FILE = Path(__file__).parents[3] / "search_spaces" / "text-clf" / "tfidf-linear.toml"
SPACE = read_space(FILE.read_text(encoding="utf-8"), FILE.name)


class TestTfidfLinear(TextCandidateContract):
    candidate = CANDIDATE
    configuration = SPACE.default()
    space = SPACE


LEARNED: dict[str, dict[str, Any]] = {
    "logistic": {"loss": "logistic", "C": 10.0},
    "ridge": {"loss": "ridge", "C": 1.0},
    "ratios": {"ratios": "counts", "C": 1.0, "counting": "once", "idf": "none"},
    "words": {"terms": "words", "words": 3, "class_weights": "balanced"},
    "characters": {"terms": "characters", "characters": 3, "case": "kept", "least": 5},
    "all normed together": {"norm": "all", "edges": "none", "marks": "dropped"},
}


@pytest.mark.parametrize("values", LEARNED.values(), ids=LEARNED.keys())
def test_every_choice_learns(tmp_path: Path, values: dict[str, Any]) -> None:
    suite = TestTfidfLinear()
    suite.configuration = SPACE.complete(values)  # type: ignore[misc]
    suite.test_it_beats_a_constant(tmp_path)


def test_a_script_without_spaces_is_noted(tmp_path: Path) -> None:
    suite = TestTfidfLinear()
    ctx = suite.context(tmp_path)
    suite.fit(tmp_path, ctx=ctx)
    assert ctx.notes == {}


def test_a_higher_cost_takes_longer() -> None:
    spec = TestTfidfLinear.data.spec
    seconds = [CANDIDATE.estimate(spec, SPACE.complete({"C": cost}), 1000).step_seconds for cost in (0.1, 1.0, 100.0)]
    assert seconds[0] == seconds[1] < seconds[2]
