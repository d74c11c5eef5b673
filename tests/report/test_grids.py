"""The charts made of cells."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from automl.report.confusion import confusion
from automl.report.grids import confusion_matrix


def drawn(k: int, name: str = "class {}") -> str:
    y = np.repeat(np.arange(k), 3)
    names = tuple(name.format(i) for i in range(k))
    return confusion_matrix(confusion(y, np.eye(k)[np.roll(y, 1)], names))


@pytest.mark.parametrize("k", [2, 10, 40])
def test_a_matrix_is_well_formed_with_any_number_of_classes(k: int) -> None:
    ET.fromstring(drawn(k))


def test_few_classes_have_their_counts_written() -> None:
    assert re.findall(r'class="count[^"]*">(\d)', drawn(3)) == ["2", "1", "1", "2", "1", "2"]


def test_many_classes_have_colours_alone() -> None:
    assert 'class="count' not in drawn(20)


def test_a_cell_tells_what_it_counts() -> None:
    assert "<title>class 1 taken for class 0: 1 of 3</title>" in drawn(3)


def test_long_names_keep_both_ends() -> None:
    assert "a very…ass 1" in drawn(3, "a very long name of class {}")


def test_names_that_do_not_fit_are_slanted() -> None:
    assert ("rotate(-45)" in drawn(3), "rotate(-45)" in drawn(20)) == (True, True)


def test_short_names_stand_upright() -> None:
    assert "rotate" not in drawn(10, "{}")
