"""What every candidate for texts must hold to; built-in ones are run through it, and authors of plugins inherit it.

class TestMine(TextCandidateContract):
    candidate = CANDIDATE
    configuration = Configuration("mine", {"words": 2})
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import ClassVar

import numpy as np

from automl.serving.table import Table, TableRule
from automl.testing.context import ArrayData, spoken_texts, text_table
from automl.testing.encoded_suite import EncodedCandidateContract, assert_scores
from automl.testing.member_suite import with_one_class

SPOKEN = spoken_texts(180)
STRANGE = (
    "",
    " ",
    "zebra",
    "\u4f60\u597d \U0001f600",
    "a" * 5000,
    "was " * 3000,
    "\n\t\u200b",
    "e\u0301 \u00e9 \ufffd",
)
"""Texts unlike any in training: none, unknown words, long ones, other scripts."""


class TextCandidateContract(EncodedCandidateContract):
    """Inherit, name your class Test…, and set what is your own.

    Attributes:
        candidate: the candidate.
        configuration: a cheap configuration of it.
        module: where it is found; by default where its class is.
        space: its search space; None skips what needs it.
        data: at least 100 texts of three classes, one of them empty, learnable.
        tolerance: how far probabilities of the exported file may lie from those in the run.
        learns: whether it must beat a constant on `data`.
    """

    data: ClassVar[ArrayData] = SPOKEN

    def strange(self) -> Table:
        """Return `STRANGE` texts."""
        return text_table(STRANGE)

    def poisoned(self, rows: np.ndarray) -> ArrayData:
        """Return the data with other words in these rows, and one class for all of them."""
        rng = np.random.default_rng(99)
        words = list(self.data.X.texts[0])
        for row in rows.tolist():
            words[row] = f"poison {row} " * int(rng.integers(1, 30))
        return dataclasses.replace(with_one_class(self.data, rows), X=text_table(words))

    def rule(self) -> TableRule:
        """Return the rule of the column of text."""
        return TableRule.from_json(self.data.spec.input)

    def test_it_serves_the_task_of_its_data(self) -> None:
        """It is for `text-clf`."""
        assert "text-clf" in self.candidate.tasks

    def test_texts_that_are_all_empty_are_survived(self, tmp_path: Path) -> None:
        """A fold of short answers can be so."""
        ctx, words = self.context(tmp_path), list(self.data.X.texts[0])
        for row in ctx.train_rows.tolist():
            words[row] = ""
        data = dataclasses.replace(self.data, X=text_table(words))
        assert_scores(self.fit(tmp_path, data=data).predict(data.X), data)

    def test_scripts_without_spaces_are_learned(self, tmp_path: Path) -> None:
        """Their words are not told apart by blanks."""
        if not self.learns:
            return
        ctx, said = self.context(tmp_path), "\u597d\u574f\u5feb"
        words = [f"\u8fd9\u4e2a\u5f88{said[code] * 2}\u4e86" for code in self.data.y.tolist()]
        data = dataclasses.replace(self.data, X=text_table(words))
        predicted = self.fit(tmp_path, data=data, ctx=ctx).predict(data.X[ctx.valid_rows])
        assert (predicted.argmax(axis=1) == data.y[ctx.valid_rows]).mean() > 0.8
