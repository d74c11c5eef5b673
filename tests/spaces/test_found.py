from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path

import pytest

from automl.errors import SpaceError
from automl.spaces import find, found, merge

TASK = "image-clf"


def text(candidate: str, high: float = 1.0) -> str:
    return f'candidate = "{candidate}"\nsource = "x"\n[params]\nlr = {{ float = [0.01, {high}], default = 0.1 }}\n'


def write(path: Path, content: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return str(path)


@pytest.fixture(autouse=True)
def built_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two built-in spaces, no plugin, no variable."""
    folder = tmp_path / "package" / "search_spaces"
    for name in ("cnn", "resnet"):
        write(folder / TASK / f"{name}.toml", text(name))
    write(folder / TASK / "portfolio.toml", '[[configuration]]\ncandidate = "cnn"\n')
    monkeypatch.setattr(found, "_PACKAGE", tmp_path / "package")
    monkeypatch.setattr(metadata, "entry_points", lambda group: [])
    monkeypatch.delenv(found.VARIABLE, raising=False)
    return folder


def plug_in(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    point = metadata.EntryPoint(name="mine", value=value, group=found.ENTRY_POINTS)
    monkeypatch.setattr(metadata, "entry_points", lambda group: [point])


def test_the_built_in_files_are_in_force_without_any_other(built_in: Path) -> None:
    assert find(TASK, ["cnn"]).origins == {"cnn": str(built_in / TASK / "cnn.toml")}


def test_a_checkout_is_used_where_nothing_is_packaged(built_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found, "_PACKAGE", built_in.parent / "automl")
    assert find(TASK, ["cnn"]).origins == {"cnn": str(built_in / TASK / "cnn.toml")}


def test_candidates_come_in_the_order_they_were_asked_for() -> None:
    assert list(find(TASK, ["resnet", "cnn"]).spaces) == ["resnet", "cnn"]


def test_the_text_of_the_winner_is_carried(built_in: Path) -> None:
    assert find(TASK, ["cnn"]).texts == {"cnn": text("cnn")}


def test_a_file_named_last_wins_over_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(found.VARIABLE, write(tmp_path / "env.toml", text("cnn")))
    first, last = write(tmp_path / "first.toml", text("cnn")), write(tmp_path / "mine.toml", text("cnn", 2.0))
    result = find(TASK, ["cnn", "resnet"], [first, last])
    assert result.origins["cnn"] == last
    assert merge(result).candidates["cnn"].params["lr"].accepts(2.0)


def test_the_variable_wins_over_a_plugin_and_its_last_part_over_its_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(tmp_path, monkeypatch)
    parts = [write(tmp_path / "a.toml", text("cnn")), write(tmp_path / "b.toml", text("cnn"))]
    monkeypatch.setenv(found.VARIABLE, os.pathsep.join(parts))
    assert find(TASK, ["cnn"]).origins == {"cnn": parts[1]}


def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site" / "flower_spaces"
    write(folder / "__init__.py", "raise RuntimeError('spaces are data: this must not be imported')")
    write(folder / TASK / "cnn.toml", text("cnn", 3.0))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    plug_in(monkeypatch, "flower_spaces")
    return folder


def test_a_plugin_wins_over_the_built_in_and_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = plugin(tmp_path, monkeypatch)
    assert find(TASK, ["cnn"]).origins == {"cnn": str(folder / TASK / "cnn.toml")}


@pytest.mark.parametrize("value", ["no_such_package", "no_such.package", "json.decoder", ""], ids=str)
def test_a_plugin_without_a_folder_is_named(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in(monkeypatch, value)
    with pytest.raises(SpaceError, match=f"entry point 'mine'.*Got '{value}'"):
        find(TASK, ["cnn"])


def test_the_working_directory_is_never_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "cnn.toml", text("cnn", 9.0))
    write(tmp_path / "search_spaces" / TASK / "cnn.toml", text("cnn", 9.0))
    monkeypatch.chdir(tmp_path)
    assert find(TASK, ["cnn"]).texts == {"cnn": text("cnn")}


def test_a_folder_may_have_a_folder_of_the_task(tmp_path: Path) -> None:
    inner = write(tmp_path / "mine" / TASK / "cnn.toml", text("cnn"))
    assert find(TASK, ["cnn"], [str(tmp_path / "mine")]).origins == {"cnn": inner}


def test_a_folder_overrides_only_the_candidates_it_has(tmp_path: Path, built_in: Path) -> None:
    write(tmp_path / "mine" / "cnn.toml", text("cnn"))
    result = find(TASK, ["cnn", "resnet"], [str(tmp_path / "mine")])
    assert result.origins["resnet"] == str(built_in / TASK / "resnet.toml")


def test_a_portfolio_is_found_by_its_name_and_the_last_wins(tmp_path: Path, built_in: Path) -> None:
    mine = write(tmp_path / "portfolio.toml", "")
    origins = [p.origin for p in (find(TASK, ["cnn"]).portfolio, find(TASK, ["cnn"], [mine]).portfolio) if p]
    assert origins == [str(built_in / TASK / "portfolio.toml"), mine]


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xef\xbb\xbf" + text("cnn").encode())
    assert find(TASK, ["cnn"], [str(path)]).texts == {"cnn": text("cnn")}


def test_a_file_of_the_variable_for_another_task_is_said_to_be_unused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write(tmp_path / "gbdt.toml", text("gbdt"))
    monkeypatch.setenv(found.VARIABLE, other)
    assert find(TASK, ["cnn"]).unused == (other,)


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match=r"--space .*nowhere.toml: no such file or folder"):
        find(TASK, ["cnn"], [str(tmp_path / "nowhere.toml")])


def test_a_missing_path_of_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(found.VARIABLE, "/nowhere")
    with pytest.raises(SpaceError, match="AUTOML_SEARCH_SPACES /nowhere: no such file"):
        find(TASK, ["cnn"])


def test_a_file_that_is_not_toml_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match=r"mine.yaml: a space file is TOML.*Got mine.yaml"):
        find(TASK, ["cnn"], [write(tmp_path / "mine.yaml", "candidate: cnn")])


def test_a_file_for_an_unknown_candidate_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match=r"'resnett' is not a candidate of this search. Did you mean resnet\?"):
        find(TASK, ["cnn", "resnet"], [write(tmp_path / "mine.toml", text("resnett"))])


def test_a_folder_without_a_file_for_any_candidate_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "mine" / "gbdt.toml", text("gbdt"))
    with pytest.raises(SpaceError, match=r"has no file for any candidate. Looked for cnn.toml, resnet.toml"):
        find(TASK, ["cnn", "resnet"], [str(tmp_path / "mine")])


def test_a_file_of_a_folder_must_be_named_after_its_candidate(tmp_path: Path) -> None:
    write(tmp_path / "mine" / "cnn.toml", text("resnet"))
    with pytest.raises(
        SpaceError, match=r"cnn.toml: candidate: in a folder.*Got 'resnet'. Rename the file resnet.toml"
    ):
        find(TASK, ["cnn"], [str(tmp_path / "mine")])


def test_a_candidate_without_any_file_is_named() -> None:
    with pytest.raises(SpaceError, match=r"image-clf: candidate 'vit' has no space file.*--exclude vit"):
        find(TASK, ["cnn", "vit"])


def test_a_file_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b'candidate = "cnn"\nsource = "\xff"\n')
    with pytest.raises(SpaceError, match=r"mine.toml: line 2: must be UTF-8. Got the byte 0xff"):
        find(TASK, ["cnn"], [str(path)])


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.toml", "#" * (found.LARGEST_BYTES + 1))
    with pytest.raises(SpaceError, match=r"at most 1048576 bytes. Got 1048577"):
        find(TASK, ["cnn"], [path])


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "mine.toml")
    with pytest.raises(SpaceError, match="a space is a file of at most"):
        find(TASK, ["cnn"], [str(tmp_path / "mine.toml")])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.toml", text("cnn"))
    Path(path).chmod(0)
    with pytest.raises(SpaceError, match=r"mine.toml: cannot be read: Permission denied"):
        find(TASK, ["cnn"], [path])


def test_merging_gives_the_union_in_order() -> None:
    assert list(merge(find(TASK, ["resnet", "cnn"])).candidates) == ["resnet", "cnn"]


def test_a_users_file_is_completed_in_the_text_that_is_carried(tmp_path: Path, built_in: Path) -> None:
    write(built_in / TASK / "cnn.toml", text("cnn") + "width = { int = [1, 9], default = 5 }\n")
    result = find(TASK, ["cnn"], [write(tmp_path / "mine.toml", text("cnn", 2.0))])
    assert merge(result).candidates["cnn"].default().values == {"lr": 0.1, "width": 5}
    assert result.origins["cnn"].endswith("mine.toml")
