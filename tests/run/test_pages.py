from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automl.core.events import Event
from automl.core.history import History
from automl.core.ledger import Receipt
from automl.errors import RunError, UserError
from automl.journals import open_journal
from automl.run import pages
from automl.run.folder import RunFolder
from automl.run.pages import out_of_fold, write_report
from automl.testing.context import ArrayData
from automl.testing.recorded_run import CLASSES, FOLDS, ROWS, recorded_run


@pytest.fixture
def events(tmp_path: Path) -> list[Event]:
    return recorded_run(tmp_path)


@pytest.fixture
def history(events: list[Event]) -> History:
    known = History()
    for event in events:
        known.apply(event)
    return known


@pytest.fixture
def folds(tmp_path: Path, events: list[Event]) -> np.ndarray:
    return np.load(tmp_path / "folds.npy")


def data(history: History) -> ArrayData:
    assert history.started is not None
    return ArrayData(np.zeros((ROWS, 4, 4, 3), np.uint8), np.arange(ROWS) % len(CLASSES), history.started.spec)


def test_every_row_is_predicted_by_the_model_that_did_not_see_it(
    tmp_path: Path, history: History, folds: np.ndarray
) -> None:
    predictions = out_of_fold(RunFolder(tmp_path), history, 0, folds)
    assert predictions.shape == (ROWS, len(CLASSES))
    for fold in range(FOLDS):
        part = np.load(tmp_path / "members" / f"t00000-f{fold}" / "oof.npy")
        assert np.array_equal(predictions[folds == fold], part)


def test_predictions_are_small_and_complete(tmp_path: Path, history: History, folds: np.ndarray) -> None:
    predictions = out_of_fold(RunFolder(tmp_path), history, 1, folds)
    assert predictions.dtype == np.float32
    assert np.isfinite(predictions).all()


def test_a_missing_file_of_predictions_is_an_error(tmp_path: Path, history: History, folds: np.ndarray) -> None:
    (tmp_path / "members/t00000-f1/oof.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"t00000-f1/oof.npy"):
        out_of_fold(RunFolder(tmp_path), history, 0, folds)


def test_a_page_is_written_and_nothing_else(tmp_path: Path, history: History, folds: np.ndarray) -> None:
    (tmp_path / "report.html").unlink()
    before = set(tmp_path.iterdir())
    path = write_report(RunFolder(tmp_path), history, Receipt("cpu", 3.0, 60.0, 6, 14), data(history), folds)
    assert set(tmp_path.iterdir()) - before == {path}
    assert "pets" in path.read_text(encoding="utf-8")


def test_a_page_holds_no_credentials(tmp_path: Path, history: History, folds: np.ndarray) -> None:
    path = write_report(RunFolder(tmp_path), history, Receipt("cpu", 3.0, 60.0, 6, 14), data(history), folds)
    assert "a:secret" not in path.read_text(encoding="utf-8")


def test_a_run_without_a_winner_has_a_page_too(tmp_path: Path, history: History, folds: np.ndarray) -> None:
    history.decided = None
    assert write_report(RunFolder(tmp_path), history, Receipt("cpu", 3.0, 9.0, 6, 14), data(history), folds).is_file()


def test_a_page_is_written_anew_from_the_journal(finished: Path) -> None:
    (finished / "report.html").unlink()
    assert pages.rewrite(finished) == finished / "report.html"
    assert (finished / "report.html").stat().st_size > 1000


def test_a_page_cannot_be_written_anew_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"not a run: it holds no run.db"):
        pages.rewrite(tmp_path)


def test_a_page_is_written_anew_without_its_data_only_with_a_word(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from automl.run import resume

    monkeypatch.setattr(resume, "_kept", lambda folder: None)
    with pytest.raises(RunError, match="prepared data is gone, and it was given as arrays"):
        pages.rewrite(finished)


def test_a_run_that_is_not_recorded_cannot_be_synced(finished: Path) -> None:
    with pytest.raises(UserError, match="--tracking-uri none, so there is nothing to do"):
        pages.sync(finished)


def test_a_run_with_credentials_is_synced_only_with_them(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    recorded = _recorded_elsewhere(finished, tmp_path / "other", "https://***@host")
    with pytest.raises(UserError, match="Set MLFLOW_TRACKING_URI to that address"):
        pages.sync(recorded)


def _recorded_elsewhere(run: Path, place: Path, uri: str) -> Path:
    place.mkdir()
    first, *rest = open_journal(run, read_only=True).replay()
    journal = open_journal(place / "run.db")
    journal.append(replace(first, request=replace(first.request, tracking_uri=uri)))
    for event in rest:
        journal.append(event)
    journal.close()
    return place
