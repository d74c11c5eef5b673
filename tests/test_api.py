from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest

import automl
from automl import api
from automl.core.request import SearchRequest
from automl.errors import ArtifactError, BudgetError, DataError, RunError, UserError
from automl.testing.tiny import tiny_artifact, tiny_images, write_npz

FAST = {"task": "image-clf", "engine": "inprocess", "tracking_uri": "none", "progress": False}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOML_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[SearchRequest, dict[str, object]]]:
    """What `search` asks of `run_search`, which does nothing."""
    seen: list[tuple[SearchRequest, dict[str, object]]] = []
    monkeypatch.setattr(api, "run_search", lambda request, **more: seen.append((request, more)))
    return seen


@pytest.fixture
def model(place: Path) -> Path:
    tiny_artifact(place / "model", place / "cache")
    return place / "model"


# ---- names


@pytest.mark.parametrize("name", automl.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(automl, name) is not None


@pytest.mark.parametrize("name", api.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    assert inspect.getdoc(getattr(api, name))


# ---- what a search asks for


def test_options_become_a_request(asked: list[tuple[SearchRequest, object]]) -> None:
    api.search("flowers", task="image-clf", budget="1h", folds=4, seed=7, include=["cnn"], progress=False)
    request = asked[0][0]
    assert request == SearchRequest("image-clf", "flowers", budget="1h", folds=4, seed=7, include=("cnn",))


def test_paths_become_texts(asked: list[tuple[SearchRequest, object]]) -> None:
    api.search(Path("my data"), task="image-clf", out=Path("my run"), test=Path("t"), space=[Path("s")], progress=False)
    request = asked[0][0]
    assert (request.data, request.out, request.test, request.space) == ("my data", "my run", "t", ("s",))


@pytest.mark.parametrize("name", ["include", "exclude", "space"])
@pytest.mark.parametrize("value", ["linear", ["linear"], ("linear",)], ids=["text", "list", "tuple"])
def test_one_name_may_stand_for_a_list_of_one(
    asked: list[tuple[SearchRequest, object]], name: str, value: object
) -> None:
    api.search(task="image-clf", progress=False, **{name: value})
    assert getattr(asked[0][0], name) == ("linear",)


@pytest.mark.parametrize("kind", [tuple, list])
def test_arrays_are_handed_on_beside_the_request(
    asked: list[tuple[SearchRequest, dict[str, object]]], kind: type
) -> None:
    X, y = np.zeros((4, 8, 8)), np.arange(4)
    api.search(kind([X, y]), task="image-clf", test=kind([X, y]), progress=False)
    request, more = asked[0]
    assert (request.data, request.test) == ("", "")
    assert more["data"] == more["test"] == (X, y)


def test_a_test_set_of_arrays_has_the_classes_of_the_data(asked: list[tuple[SearchRequest, dict[str, object]]]) -> None:
    api.search(("X", "y", ("a", "b")), task="image-clf", test=("Xt", "yt"), progress=False)
    assert asked[0][1]["test"] == ("Xt", "yt", ("a", "b"))


def test_a_test_set_may_bring_its_own_classes(asked: list[tuple[SearchRequest, dict[str, object]]]) -> None:
    api.search(("X", "y", ("a", "b")), task="image-clf", test=("Xt", "yt", ("b", "a")), progress=False)
    assert asked[0][1]["test"] == ("Xt", "yt", ("b", "a"))


def test_without_data_the_default_is_taken(asked: list[tuple[SearchRequest, dict[str, object]]]) -> None:
    api.search(task="image-clf", progress=False)
    assert (asked[0][0].data, asked[0][1]["data"]) == ("", None)


@pytest.mark.parametrize("data", [np.zeros((3, 8, 8)), {"X": 1}, 7], ids=["one array", "dict", "number"])
def test_what_is_no_data_is_told_by_its_type(data: object) -> None:
    with pytest.raises(UserError, match=rf"data: a path, a data frame, \(X, y\) or .* Got a {type(data).__name__}"):
        api.search(data, task="image-clf", progress=False)


def test_a_strange_test_set_is_told_as_such() -> None:
    with pytest.raises(UserError, match=r"test: a path, a data frame, \(X, y\)"):
        api.search(task="image-clf", test=3.5, progress=False)


def test_an_unknown_option_is_told_with_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"no option 'bugdet'. Known: task, data"):
        api.search(task="image-clf", bugdet="1h", progress=False)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"budget": "10"}, BudgetError, "has no unit"),
        ({"folds": 1}, UserError, "--folds 1"),
        ({"workers": 0}, UserError, "--workers 0"),
        ({"deploy": "bags"}, UserError, "--deploy bags"),
        ({"include": "nothing"}, UserError, "--include nothing"),
        ({"engine": "steam"}, UserError, "'steam' is not a executor"),
        ({"data": "gone"}, DataError, "gone: not found"),
        ({"data": (np.zeros((4, 8, 8)),)}, DataError, "Got a tuple of 1"),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, dict) else "",
)
def test_a_mistake_leaves_no_run_behind(
    place: Path, options: dict[str, object], error: type[UserError], message: str
) -> None:
    with pytest.raises(error, match=message):
        api.search(**{**FAST, **options})
    assert not (place / "runs").exists()


def test_a_search_on_arrays_gives_a_model(place: Path) -> None:
    rows = tiny_images(45)
    result = api.search((rows.X, rows.y, rows.classes), budget="1trials", include="linear", out="run", **FAST)
    assert (result.status, result.history.started.slots) == ("done", 1)
    assert result.model.predict(rows.X).tolist() == [rows.classes[code] for code in rows.y]
    assert api.leaderboard(place / "run") == result.rows


# ---- a plan


def test_a_plan_trains_nothing_and_makes_no_run(place: Path) -> None:
    write_npz(place / "data.npz", tiny_images(60))
    plan = api.plan(SearchRequest("image-clf", "data.npz", budget="1h", include=("linear", "baseline"), workers=2))
    assert (plan.spec.rows, plan.slots, set(plan.full_steps)) == (60, 2, {"linear", "baseline"})
    assert {p.name for p in place.iterdir()} == {"data.npz", "cache"}


@pytest.mark.parametrize(("budget", "reserve"), [("1h", 6.8132), ("3trials", 3.8132), ("2s", 0.56)])
def test_a_plan_tells_what_is_held_back(place: Path, budget: str, reserve: float) -> None:
    write_npz(place / "data.npz", tiny_images(60))
    plan = api.plan(SearchRequest("image-clf", "data.npz", budget=budget, include=("linear",)))
    assert plan.reserve_seconds == pytest.approx(reserve)


# ---- models


def test_a_model_is_loaded_from_its_folder_or_its_runs(model: Path, place: Path) -> None:
    (place / "run").mkdir()
    (place / "run" / "artifact").symlink_to(model)
    assert api.load_model(str(model)).classes == api.load_model(place / "run").classes


@pytest.mark.parametrize(
    ("name", "message"),
    [("gone", "gone: not found"), ("cache", r"holds no model \(no manifest.json\)"), ("file", "is not a model folder")],
)
def test_what_is_no_model_is_told(model: Path, place: Path, name: str, message: str) -> None:
    (place / "file").touch()
    with pytest.raises(ArtifactError, match=message):
        api.load_model(place / name)


def test_a_model_may_be_pinned_by_its_hash(model: Path) -> None:
    with pytest.raises(ArtifactError, match="0000"):
        api.load_model(model, expect_sha256="0" * 64)


def test_a_registered_model_needs_a_store(place: Path) -> None:
    with pytest.raises(UserError, match=r"there is no MLflow store .*mlflow.db"):
        api.load_model("models:/flowers@champion")


def test_a_model_is_scored_on_a_file_or_on_arrays(model: Path, place: Path) -> None:
    rows = tiny_images(30)
    file = write_npz(place / "data.npz", rows)
    by_file, by_arrays = api.evaluate(model, file), api.evaluate(model, (rows.X, rows.y, rows.classes))
    assert by_file == by_arrays
    assert by_file.rows == 30


def test_scoring_needs_data(model: Path) -> None:
    with pytest.raises(DataError, match="needs a path or arrays"):
        api.evaluate(model, "")


def test_a_model_is_copied_out(model: Path, place: Path) -> None:
    files = api.export(model, place / "copy")
    assert (place / "copy" / "manifest.json") in files
    assert api.load_model(place / "copy").classes == api.load_model(model).classes


def test_an_unknown_form_is_told(model: Path, place: Path) -> None:
    with pytest.raises(UserError, match="'pickle' is not a exporter"):
        api.export(model, place / "copy", format="pickle")


def test_a_copy_is_verified_if_asked_for(model: Path, place: Path) -> None:
    assert api.export(model, place / "copy", verify=True)


# ---- runs


@pytest.mark.parametrize("what", [api.leaderboard, api.report, api.sync], ids=lambda f: f.__name__)
def test_a_folder_without_a_run_is_told(place: Path, what: object) -> None:
    assert callable(what)
    with pytest.raises(RunError, match=r"holds no run.db"):
        what(place)


def test_resume_needs_a_run(place: Path) -> None:
    with pytest.raises(RunError, match=r"gone: not found"):
        api.resume("gone", progress=False)
