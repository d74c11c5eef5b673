"""Models stay on the disk as long as they may be chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.core.history import History
from automl.core.leaderboard import contestants
from automl.core.metrics import metric
from automl.core.space import Configuration
from automl.run.folder import RunFolder
from automl.run.kept_models import KEPT_TRIALS, KeptModels
from automl.testing.history_builder import HistoryBuilder

ACCURACY = metric("accuracy")


def searched(folder: Path, scores: list[tuple[str, float]]) -> History:
    """Return a history of full trials of (candidate, score), each with a model file on the disk."""
    builder = HistoryBuilder(folds=2)
    kept = KeptModels(RunFolder(folder), ACCURACY)
    for place, (candidate, score) in enumerate(scores):
        number = builder.full(Configuration(candidate, {"place": place}), [score, score])
        for file in (f for r in builder.history.trials[number].results.values() for f in r.files):
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"model")
        kept.take(builder.history, number)
    return builder.history


def there(folder: Path, history: History) -> set[int]:
    """Return the trials whose models are on the disk."""
    return {n for n, t in history.trials.items() for r in t.results.values()
            if all((folder / f.path).exists() for f in r.files)}  # fmt: skip


def test_until_there_are_many_all_are_kept(tmp_path: Path) -> None:
    history = searched(tmp_path, [("a", n / KEPT_TRIALS) for n in range(KEPT_TRIALS)])
    assert there(tmp_path, history) == set(range(KEPT_TRIALS))


@pytest.mark.parametrize("order", [1, -1], ids=["better and better", "worse and worse"])
def test_of_many_the_best_are_kept(tmp_path: Path, order: int) -> None:
    scores = [n / 100 for n in range(40)][::order]
    history = searched(tmp_path, [("a", score) for score in scores])
    assert {scores[n] for n in there(tmp_path, history)} == {n / 100 for n in range(40 - KEPT_TRIALS, 40)}


def test_the_best_of_each_candidate_is_kept_too(tmp_path: Path) -> None:
    history = searched(tmp_path, [("weak", 0.1), ("weak", 0.2), *(("a", 0.5 + n / 100) for n in range(40))])
    assert {0, 1} & there(tmp_path, history) == {1}


@pytest.mark.parametrize("candidates", ["ab", "ba", "abc"])
def test_whatever_may_be_chosen_has_its_models_also_among_many_ties(tmp_path: Path, candidates: str) -> None:
    scores = [(candidates[n % len(candidates)], 0.9 if n % len(candidates) == 0 else 0.8) for n in range(80)]
    history = searched(tmp_path, scores)
    assert set(contestants(history, ACCURACY, most=KEPT_TRIALS)) <= there(tmp_path, history)


def test_after_a_resume_the_trials_before_count_too(tmp_path: Path) -> None:
    history = searched(tmp_path, [("a", n / 100) for n in range(KEPT_TRIALS)])
    KeptModels(RunFolder(tmp_path), ACCURACY).take(history, KEPT_TRIALS - 1)
    assert there(tmp_path, history) == set(range(KEPT_TRIALS))
