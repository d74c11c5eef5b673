"""Data in memory reaches the search in any of its forms, or is refused before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from automl import api
from automl.errors import DataError, UserError

FRAME = pd.DataFrame({"x": np.arange(20.0), "colour": ["red", "blue"] * 10, "price": np.arange(20.0) ** 2})


class Foreign:
    """A data frame of another library."""

    def to_pandas(self) -> pd.DataFrame:
        return FRAME


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOML_CACHE", str(tmp_path / "cache"))


def refused(data: Any, message: str, **options: Any) -> None:
    with pytest.raises(UserError, match=message):
        api.search(
            data, task="tabular-reg", progress=False, workers=1, engine="inprocess", tracking_uri="none", **options
        )
    assert not Path("runs").exists()


@pytest.mark.parametrize("data", [FRAME, Foreign()], ids=["pandas", "foreign"])
def test_a_column_that_is_not_there_is_refused_with_those_that_are(data: Any) -> None:
    refused(
        data, r"--drop 'sizes': data has no such column\. Columns: 'x', 'colour', 'price'", drop="sizes", target="price"
    )


def test_a_target_that_is_a_feature_too_is_refused() -> None:
    refused((FRAME, FRAME["price"]), "y is called 'price', and X has a column of that name")


@pytest.mark.parametrize("data", [42, {1, 2}, object()], ids=["number", "set", "object"])
def test_what_is_no_data_is_refused_by_its_type(data: Any) -> None:
    refused(data, f"data: a path, a data frame, .* Got a {type(data).__name__}. Convert it")


def test_one_column_to_drop_may_be_a_plain_text() -> None:
    assert api._plain("drop", "colour") == ("colour",)


def test_a_metric_that_the_data_do_not_define_is_refused() -> None:
    frame = FRAME.assign(price=FRAME["price"] - 5)
    refused(frame, "--metric rmsle: targets must be 0 or more", target="price", metric="rmsle")


def test_a_test_set_in_memory_takes_the_classes_of_the_data() -> None:
    data, test = api._given("data", ([1], [0], ["a", "b"])), api._given("test", ([1], [1]))
    assert api._with_classes(test, data).arrays == ([1], [1], ["a", "b"])


@pytest.mark.parametrize("test", [FRAME, None, ([1], [0], ["b", "a"]), "folder"], ids=["frame", "none", "own", "path"])
def test_a_test_set_of_another_form_stays_as_it_is(test: Any) -> None:
    given = api._given("test", test)
    assert api._with_classes(given, api._given("data", ([1], [0], ["a", "b"]))) is given


@pytest.mark.slow
def test_a_frame_is_searched_from_end_to_end(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=80), "colour": ["red", "blue"] * 40})
    frame["price"] = 3 * frame["x"] + (frame["colour"] == "red")
    result = api.search(
        frame, task="tabular-reg", target="price", include="baseline", budget="1trials", progress=False, workers=1,
        engine="inprocess", tracking_uri="none", out=tmp_path / "run", test=frame[:20],
    )  # fmt: skip
    assert result.test is not None
    assert result.test.rows == 20
    with pytest.raises(DataError, match="test data: the target, 'price', is needed"):
        api.evaluate(tmp_path / "run", frame[["x"]])
