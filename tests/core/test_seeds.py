from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from automl.core.seeds import derive, stream


def test_a_stream_depends_on_its_name_and_nothing_else() -> None:
    first = stream(0, "trial", 3).random(4)
    stream(0, "trial", 4).random(100)
    assert np.array_equal(first, stream(0, "trial", 3).random(4))


@pytest.mark.parametrize("other", [(1, "trial", 3), (0, "trial", 4), (0, "fold", 3), (0, "trial")], ids=str)
def test_another_name_gives_another_stream(other: tuple[int | str, ...]) -> None:
    assert derive(int(other[0]), *other[1:]) != derive(0, "trial", 3)


def test_seeds_fit_into_63_bits() -> None:
    assert all(0 <= derive(seed, "x") < 2**63 for seed in range(100))


def test_seeds_are_the_same_in_every_process_and_version() -> None:
    code = "from automl.core.seeds import derive; print(derive(7, 'ask', 12))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == derive(7, "ask", 12) == 6490985378435638970


def test_streams_of_many_trials_are_unlike() -> None:
    assert len({derive(0, "trial", i, "fold", j) for i in range(200) for j in range(5)}) == 1000
