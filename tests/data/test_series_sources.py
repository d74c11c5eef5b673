"""Series are one data set: as arrays or with one step a row, from any file or memory, whatever they were called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from automl.data.folder import DataFolder
from automl.data.roles import Roles
from automl.data.sources import Opened, open_source, prepare_test
from automl.serving.series import Series, SeriesRule
from automl.tasks import sequence_clf
from automl.testing.context import waving_series

Open = Callable[..., Opened]
WAVES = waving_series(24)
CLASSES = ["one", "three", "two"]
LABELS = np.array(CLASSES)[WAVES.y]
ROLES: dict[str, Any] = {"target": "label", "series_id": "id", "series_time": "t"}


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Open series with a cache of their own; roles by name."""

    def _open(source: object, **roles: Any) -> Opened:
        return open_source(source, sequence_clf.TASK, roles=Roles(**roles), cache=tmp_path / "cache")

    return _open


def frame(series: Series = WAVES.X, labels: Any = LABELS) -> pd.DataFrame:
    """Return series as a table with one step a row."""
    packed = series.packed()
    ids = np.repeat(np.arange(len(series)), series.lengths)
    steps = np.concatenate([np.arange(length) for length in series.lengths])
    return pd.DataFrame({"id": [f"s{number}" for number in ids], "t": steps, "x": packed.values[:, 0],
                         "y": packed.values[:, 1], "label": np.asarray(labels)[ids]})  # fmt: skip


def npz(path: Path, **arrays: Any) -> Path:
    given = {"X": WAVES.X.padded(), "lengths": WAVES.X.lengths, "y": WAVES.y, "classes": CLASSES}
    np.savez(path, **{**given, **arrays})
    return path


def same(one: Series, other: Series) -> bool:
    a, b = one.packed(), other.packed()
    return np.array_equal(a.values, b.values, equal_nan=True) and np.array_equal(a.ends, b.ends)


def codes(found: Opened) -> list[str]:
    return [finding.code for finding in found.findings]


WRITERS: dict[str, Callable[[Path], Any]] = {
    "s.npz": npz,
    "s.csv": lambda path: frame().to_csv(path, index=False),
    "s.tsv": lambda path: frame().to_csv(path, index=False, sep="\t"),
    "s.jsonl": lambda path: path.write_text(frame().to_json(orient="records", lines=True), encoding="utf-8"),
    "s.parquet": lambda path: frame().to_parquet(path, index=False),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_file_gives_the_same_rows(name: str, tmp_path: Path, opened: Open) -> None:
    WRITERS[name](tmp_path / name)
    found = opened(tmp_path / name, **({} if name == "s.npz" else ROLES)).data
    assert same(found.X, WAVES.X)
    assert found.y.tolist() == WAVES.y.tolist()
    assert (found.spec.kind, found.spec.classes, found.spec.rows) == ("series", tuple(CLASSES), 24)


PADDED = WAVES.X.padded()
LISTED = np.split(WAVES.X.values, WAVES.X.ends[:-1])
MEMORY: dict[str, tuple[Any, dict[str, Any]]] = {
    "array": ((PADDED, LABELS), {}),
    "classes": ((PADDED, WAVES.y, CLASSES), {}),
    "list": ((LISTED, list(LABELS)), {}),
    "series": ((WAVES.X, LABELS), {}),
    "frame": (frame(), ROLES),
    "columns": (frame().to_dict("list"), ROLES),
    "shuffled": (frame().sample(frac=1, random_state=0).sort_values("id", kind="stable", key=lambda ids: ids.map(
        {f"s{n}": n for n in range(24)})), ROLES),
}  # fmt: skip


@pytest.mark.parametrize(("given", "roles"), MEMORY.values(), ids=MEMORY)
def test_every_object_in_memory_gives_the_same_rows(given: Any, roles: dict[str, Any], opened: Open) -> None:
    found = opened(given, **roles).data
    lengths = found.X.lengths  # missing steps at the end of a series are padding where no length is given
    assert same(found.X, Series.of(part[:length] for part, length in zip(LISTED, lengths, strict=True)))
    assert [found.spec.classes[code] for code in found.y] == list(LABELS)


def test_the_shape_is_channels_mean_steps_and_most_steps(tmp_path: Path, opened: Open) -> None:
    spec = opened(npz(tmp_path / "s.npz")).data.spec
    lengths = WAVES.X.lengths
    assert spec.shape == (2, round(lengths.mean()), lengths.max())


def test_the_fingerprint_is_of_the_content_alone(tmp_path: Path, opened: Open) -> None:
    (tmp_path / "other").mkdir()
    first, again = (opened(npz(tmp_path / name)).data for name in ("s.npz", "other/t.npz"))
    changed = opened(npz(tmp_path / "u.npz", y=1 - (WAVES.y > 0), classes=["a", "b"])).data
    assert first.spec.fingerprint == again.spec.fingerprint != changed.spec.fingerprint
    assert first.folder != again.folder


def test_the_same_file_is_prepared_once(tmp_path: Path, opened: Open) -> None:
    folder = opened(npz(tmp_path / "s.npz")).data.folder
    before = (folder / "values.npy").stat().st_mtime_ns
    again = opened(tmp_path / "s.npz").data.folder
    assert again == folder
    assert (again / "values.npy").stat().st_mtime_ns == before


def test_prepared_series_are_mapped_from_the_disk(tmp_path: Path, opened: Open) -> None:
    data = DataFolder(opened(npz(tmp_path / "s.npz")).data.folder)
    assert data.is_whole()
    assert isinstance(data.X.values, np.memmap)


def test_a_damaged_folder_is_not_whole(tmp_path: Path, opened: Open) -> None:
    folder = opened(npz(tmp_path / "s.npz")).data.folder
    np.save(folder / "values.npy", np.zeros((3, 2), np.float32))
    assert not DataFolder(folder).is_whole()


def test_the_rule_names_id_time_and_channels(opened: Open) -> None:
    spec = opened(frame(), **ROLES).data.spec
    assert SeriesRule.from_json(spec.input) == SeriesRule(("x", "y"), "id", "t")
    assert spec.columns == {"id": "series id", "t": "time", "x": "channel", "y": "channel", "label": "target"}


def test_weights_and_groups_are_of_series(opened: Open) -> None:
    number = np.repeat(np.arange(24), WAVES.X.lengths)
    table = frame().assign(person=number // 3, w=1.0 + number % 2)
    data = opened(table, **ROLES, group="person", sample_weight="w").data
    assert data.groups is not None
    assert data.groups.tolist() == [n // 3 for n in range(24)]
    assert data.weights is not None
    assert data.weights.tolist() == [(1 + n % 2) / 1.5 for n in range(24)]
    assert SeriesRule.from_json(data.spec.input).channels == ("x", "y")


def test_folds_may_go_by_the_time_of_the_series(opened: Open) -> None:
    number = np.repeat(np.arange(24), WAVES.X.lengths)
    table = frame().assign(day=pd.Timestamp("2024-01-01") - pd.to_timedelta(number, "D"))
    data = opened(table, **ROLES, split_time="day").data
    assert data.spec.split == "time"
    assert data.groups is not None
    assert data.groups.tolist() == list(range(23, -1, -1))


def test_columns_that_are_no_numbers_are_no_channels(opened: Open) -> None:
    table = frame().assign(place="kitchen", on=["yes", "no"] * (len(frame()) // 2) + ["no"] * (len(frame()) % 2))
    found = opened(table, **ROLES, drop=("y",))
    assert SeriesRule.from_json(found.data.spec.input) == SeriesRule(("x", "on"), "id", "t", ("number", "boolean"))
    message = next(finding.message for finding in found.findings if finding.code == "columns-left-out")
    assert message == "columns that are no numbers are no channels and not looked at: 'place' (text)"
    assert set(np.unique(found.data.X.values[:, 1])) == {0.0, 1.0}


def test_the_positive_label_comes_last(opened: Open) -> None:
    table = frame(labels=np.where(WAVES.y > 0, "no", "yes"))
    assert opened(table, **ROLES, positive="no").data.spec.classes == ("yes", "no")


def test_a_decimal_comma_is_kept_in_the_rule(tmp_path: Path, opened: Open) -> None:
    frame().to_csv(tmp_path / "s.tsv", index=False, sep="\t", decimal=",")
    data = opened(tmp_path / "s.tsv", **ROLES).data
    assert SeriesRule.from_json(data.spec.input).kinds == ("comma", "comma")
    assert same(data.X, WAVES.X)


TESTS: dict[str, Callable[[Path], Any]] = {**{name: write for name, write in WRITERS.items() if name != "s.npz"},
                                           "s.npz": npz}  # fmt: skip


@pytest.mark.parametrize("name", TESTS)
def test_test_data_of_any_kind_follows_the_training_data(name: str, tmp_path: Path, opened: Open) -> None:
    train = opened(frame(), **ROLES).data
    TESTS[name](tmp_path / name)
    test = prepare_test(tmp_path / name, train, cache=tmp_path / "cache")
    assert same(test.data.X, WAVES.X)
    assert test.data.y.tolist() == WAVES.y.tolist()
    assert "test-overlap" in codes(test)


@pytest.mark.parametrize(
    "given", [(PADDED[3:9], LABELS[3:9]), (LISTED[3:9], WAVES.y[3:9], CLASSES)], ids=["labels", "codes"]
)
def test_test_arrays_have_the_classes_of_training(given: Any, tmp_path: Path, opened: Open) -> None:
    train = opened(npz(tmp_path / "s.npz")).data
    test = prepare_test(given, train.spec, cache=tmp_path / "cache").data
    assert test.y.tolist() == WAVES.y[3:9].tolist()
    assert test.spec.classes == train.spec.classes


def test_a_test_frame_may_lack_the_time_of_no_series(tmp_path: Path, opened: Open) -> None:
    train = opened(frame(), **ROLES).data
    test = prepare_test(frame().assign(more=1)[::-1], train, cache=tmp_path / "cache").data
    assert same(test.X, WAVES.X[::-1])
