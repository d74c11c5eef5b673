from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from automl.candidates.text.linear_terms import Rows
from automl.candidates.text.naive_bayes import CANDIDATE, Counted
from automl.spaces.space_file import read_space
from automl.testing.text_suite import TextCandidateContract

FILE = Path(__file__).parents[3] / "search_spaces" / "text-clf" / "naive-bayes.toml"
SPACE = read_space(FILE.read_text(encoding="utf-8"), FILE.name)
COUNTS = Rows(csr_array(np.array([[2.0, 0, 1], [1, 1, 0], [0, 3, 1]])), np.array([0, 0, 1]), None, 2)


class TestNaiveBayes(TextCandidateContract):
    candidate = CANDIDATE
    configuration = SPACE.default()
    space = SPACE


class TestMultinomial(TextCandidateContract):
    candidate = CANDIDATE
    configuration = SPACE.complete({"kind": "multinomial", "terms": "words", "counting": "raw", "idf": "none"})


def test_multinomial_weights_are_logarithms_of_shares() -> None:
    found = Counted("multinomial", 1.0)(COUNTS)
    np.testing.assert_allclose(np.exp(found.weights[:, 0]), [4 / 8, 2 / 8, 2 / 8], rtol=1e-5)
    np.testing.assert_allclose(np.exp(found.bias), [3 / 5, 2 / 5])


def test_complement_weights_are_of_the_other_classes() -> None:
    found = Counted("complement", 1.0)(COUNTS)
    logs = -np.log(np.array([1, 4, 2]) / 7)
    np.testing.assert_allclose(found.weights[:, 0], logs / logs.sum(), rtol=1e-5)


@pytest.mark.parametrize("kind", ["multinomial", "complement"])
def test_a_row_of_double_weight_counts_twice(kind: str) -> None:
    twice = Rows(csr_array(COUNTS.X.toarray()[[0, 0, 1, 2]]), np.array([0, 0, 0, 1]), None, 2)
    heavy = COUNTS._replace(weights=np.array([2.0, 1.0, 1.0]))
    found = [Counted(kind, 0.5)(rows).weights for rows in (twice, heavy)]  # type: ignore[arg-type]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)
