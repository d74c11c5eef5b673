from __future__ import annotations

from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np
import pytest

from automl.core.budget import Budget
from automl.core.plan import Purse
from automl.core.request import SearchRequest
from automl.errors import BudgetError, MachineError, RunError, UserError
from automl.run import available, setup
from automl.run.available import preload
from automl.run.devices import Slots
from automl.run.setup import Setup, default_brains, fold_of_rows, prepare, preview, resolve, run_path
from automl.testing.tiny import tiny_images, write_npz

FAST = {"include": ("baseline", "linear"), "workers": 1, "tracking_uri": "none"}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOML_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def request(**fields: object) -> SearchRequest:
    return SearchRequest("image-clf", **{**FAST, "budget": "3trials", **fields})


def ready(**fields: object) -> Setup:
    arrays = tiny_images(60)
    return prepare(resolve(request(**fields)), (arrays.X, arrays.y, arrays.classes))


# ---- names and numbers


def test_a_request_is_resolved_without_writing_anything(place: Path) -> None:
    resolved = resolve(request())
    assert (resolved.metric, resolved.candidates) == ("", ("baseline", "linear"))
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"metric": "rmse"}, "--metric rmse: image-clf is scored by one of: accuracy"),
        ({"include": ("cnnn",)}, "--include cnnn: not a candidate of image-clf. Known: baseline"),
        ({"exclude": ("cnnn",)}, "--exclude cnnn: not a candidate"),
        ({"exclude": ("baseline", "linear")}, "no candidate is left"),
        ({"folds": 1}, "--folds 1: a whole number of at least 2 is needed"),
        ({"folds": 2.5}, "--folds 2.5: a whole number"),
        ({"folds": "3"}, "--folds '3': a whole number"),
        ({"workers": 0}, "--workers 0: a whole number of at least 1"),
        ({"workers": -2}, "--workers -2: a whole number"),
        ({"gpus": -1}, "--gpus -1: a whole number of at least 0"),
        ({"seed": -1}, "--seed -1: a whole number"),
        ({"max_latency_ms": 0}, "--max-latency-ms 0: milliseconds above zero"),
        ({"max_latency_ms": float("nan")}, "--max-latency-ms nan: milliseconds above zero"),
        ({"deploy": "refitt"}, "--deploy refitt: one of bag, refit is needed"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_cannot_be_used_is_told_with_its_value(fields: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        resolve(request(**fields))


def test_an_unknown_task_is_told() -> None:
    with pytest.raises(UserError, match=r"'image-cls' is not a task. Did you mean image-clf"):
        resolve(SearchRequest("image-cls"))


def test_a_malformed_budget_is_told() -> None:
    with pytest.raises(BudgetError, match="'fortnight' is not a unit"):
        resolve(request(budget="1fortnight"))


def test_a_run_folder_that_is_in_use_is_told_before_data_is_read(place: Path) -> None:
    (place / "run").mkdir()
    (place / "run" / "thesis.txt").touch()
    with pytest.raises(RunError, match="the folder is not empty"):
        resolve(request(out="run"))


# ---- the first event


def test_the_first_event_holds_all_that_a_resume_needs() -> None:
    started = ready().started
    assert set(started.spaces) == set(started.space_origins) == {"baseline", "linear"}
    assert (started.spec.name, started.metric, started.slots, started.device) == ("arrays", "accuracy", 1, "cpu")
    assert started.versions["python"].startswith("3.")


def test_the_folds_are_stratified_and_the_same_for_the_same_seed() -> None:
    first, second = ready(seed=4), ready(seed=4)
    assert np.array_equal(first.folds, second.folds)
    assert (np.bincount(first.folds * 3 + first.data.y) > 0).all()
    assert np.array_equal(first.folds, fold_of_rows(first.started, first.data))


def test_another_seed_gives_other_folds() -> None:
    assert not np.array_equal(ready(seed=1).folds, ready(seed=2).folds)


def test_folds_are_as_many_as_asked_for() -> None:
    assert set(ready(folds=4).folds.tolist()) == {0, 1, 2, 3}


@pytest.mark.parametrize(("budget", "expected"), [("5s", 3), ("3trials", 5), ("1h", 5), ("5cpu-s", 3)])
def test_a_short_budget_has_fewer_folds(budget: str, expected: int) -> None:
    assert ready(budget=budget).started.folds == expected


def test_places_are_written_down_as_absolute_paths(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOML_CACHE", "cache")
    write_npz(place / "my data.npz", tiny_images(60))
    started = prepare(resolve(request(data="my data.npz", test="my data.npz"))).started
    assert (started.request.data, started.request.test) == (str(place / "my data.npz"),) * 2
    assert Path(started.data_folder).is_absolute()
    assert Path(started.test_folder).is_absolute()


def test_credentials_are_handed_on_and_not_written_down() -> None:
    begun = ready(tracking_uri="https://ann:s3cret@host")
    assert begun.tracking_uri == "https://ann:s3cret@host"
    assert begun.started.request.tracking_uri == "https://***@host"
    assert "s3cret" not in repr(begun.started)


def test_the_default_store_is_that_of_the_folder_the_search_began_in(place: Path) -> None:
    assert ready(tracking_uri="").started.request.tracking_uri == f"sqlite:///{place}/mlflow.db"


def test_a_test_set_may_be_arrays() -> None:
    arrays, test = tiny_images(60), tiny_images(30, seed=9)
    begun = prepare(resolve(request()), (arrays.X, arrays.y), (test.X, test.y))
    assert begun.test is not None
    assert (begun.started.test_rows, begun.started.request.test) == (30, "")


def test_without_a_test_set_there_is_none() -> None:
    begun = ready()
    assert (begun.test, begun.started.test_folder, begun.started.test_rows) == (None, "", 0)


def test_rows_that_are_in_training_and_test_are_told() -> None:
    arrays = tiny_images(60)
    begun = prepare(resolve(request()), (arrays.X, arrays.y), (arrays.X[:9], arrays.y[:9]))
    assert any("9 of 9 test images are in the training data too" in f.message for f in begun.started.findings)


def test_a_run_is_named_by_task_data_and_time_or_as_asked() -> None:
    assert ready().started.name.startswith("image-clf-arrays-")
    assert ready(name="mine").started.name == "mine"


# ---- where the run goes


def test_the_run_folder_is_the_one_asked_for() -> None:
    assert run_path(request(out="my runs/one"), "x") == Path("my runs/one")
    assert run_path(request(name="x"), "x") == Path("runs/x")


def test_two_runs_of_the_same_second_get_folders_of_their_own() -> None:
    assert [run_path(request(), "x").name for _ in range(3)] == ["x", "x-2", "x-3"]


# ---- thinking


def test_the_brains_come_from_the_first_event_alone(place: Path) -> None:
    started = ready().started
    thinking = default_brains(replace(started, data_folder="gone"))
    assert set(thinking.space.candidates) == {"baseline", "linear"}
    assert thinking.space.sha256() == started.space_sha256


def test_nothing_is_probed_under_a_budget_of_trials() -> None:
    assert default_brains(ready(include=("linear", "cnn")).started).probed == frozenset()


def test_costly_candidates_are_probed_under_a_timed_budget() -> None:
    assert default_brains(ready(include=("linear", "cnn"), budget="1h").started).probed == {"cnn"}


@pytest.mark.parametrize("field", ["searcher", "scheduler"])
def test_an_unknown_part_is_told(field: str) -> None:
    with pytest.raises(UserError, match=f"'magic' is not a {field}"):
        default_brains(ready(**{field: "magic"}).started)


def test_a_preview_plans_by_estimates() -> None:
    steps, costs = preview(ready().started, Purse(inf, 0.0, 1))
    assert set(steps) == set(costs) == {"baseline", "linear"}
    assert all(cost.seconds(1) > 0 for cost in costs.values())


# ---- workers


def test_the_modules_of_the_candidates_are_loaded_before_workers_are_forked() -> None:
    modules = preload(SearchRequest("image-clf"), ["linear"])
    assert {"automl.run.work", "automl.data.folder", "sklearn.linear_model", "onnx"} <= set(modules)


def test_a_module_is_loaded_once() -> None:
    modules = preload(SearchRequest("image-clf"), ["linear", "forest", "baseline"])
    assert len(modules) == len(set(modules))


def test_a_package_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(available, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"linear: it needs 'onnx'. To use it: pip install onnx, or --exclude linear"):
        preload(SearchRequest("image-clf"), ["linear"])


def test_workers_are_as_many_after_a_resume() -> None:
    assert setup.slots_again(replace(ready().started, slots=7)) == Slots("cpu", 7)


def test_a_run_on_gpus_is_not_resumed_where_none_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "visible_gpus", lambda: 0)
    with pytest.raises(MachineError, match="run mine uses GPUs and 0 are visible here"):
        setup.slots_again(replace(ready(name="mine").started, device="gpu"))


def test_a_resumed_run_takes_no_more_gpus_than_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "visible_gpus", lambda: 8)
    started = replace(ready().started, device="gpu", slots=4)
    assert setup.slots_again(started).gpus == 8
    assert setup.slots_again(replace(started, request=replace(started.request, gpus=2))).gpus == 2


def test_versions_of_what_is_not_installed_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "PACKAGES", ("numpy", "no-such-package"))
    assert set(setup.versions()) == {"python", "numpy"}


def test_the_budget_is_read_once() -> None:
    assert resolve(request(budget="2min")).budget == Budget(wall=120.0)
