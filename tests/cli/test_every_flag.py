"""Every command and every flag: what is refused, in which words, and that it is always one line and code 2."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from automl.cli.main import COMMANDS, main, parser_of
from automl.cli.ui import _environment
from automl.errors import UserError
from automl.registry import names

SEARCH = ["search", "--task", "image-clf"]
NEEDED = {
    "search": ["--task", "image-clf"],
    "resume": ["runs/x"],
    "leaderboard": ["runs/x"],
    "predict": ["m", "d", "-o", "o.csv"],
    "evaluate": ["m", "d"],
    "export": ["m", "-o", "out"],
    "report": ["runs/x"],
    "sync": ["runs/x"],
    "ui": [],
    "list": ["tasks"],
    "doctor": [],
}
MISTAKES = [
    ("search", [], "--task is missing. See automl search --help."),
    ("search --task", [], "--task: expected one argument"),
    ("search --task imgclf", [], "--task 'imgclf' is not known."),
    ("search --task image-clf a b", [], "b: automl search does not know what to do with it."),
    ("search --task image-clf --budget", [], "--budget: expected one argument"),
    ("search --task image-clf --budget 8GPU-H", [], "Did you mean gpu-h?"),
    ("search --task image-clf --budget 3hours", [], "Did you mean h?"),
    ("search --task image-clf --budget 10", [], "'10' has no unit."),
    ("search --task image-clf --budget -5min", [], "Got '-5min'"),
    ("search --task image-clf --budget=-5min", [], "Got '-5min'"),
    ("search --task image-clf --folds 1", [], "--folds: needs a whole number of 2 or more. Got 1."),
    ("search --task image-clf --folds two", [], "--folds: needs a whole number of 2 or more. Got two."),
    ("search --task image-clf --folds -3", [], "--folds: needs a whole number of 2 or more. Got -3."),
    ("search --task image-clf --seed 1.5", [], "--seed: needs a whole number of 0 or more. Got 1.5."),
    ("search --task image-clf --seed -1", [], "--seed: needs a whole number of 0 or more. Got -1."),
    ("search --task image-clf --workers 0", [], "--workers: needs a whole number of 1 or more. Got 0."),
    ("search --task image-clf --workers many", [], "--workers: needs a whole number of 1 or more. Got many."),
    ("search --task image-clf --gpus -1", [], "--gpus: needs a whole number of 0 or more. Got -1."),
    ("search --task image-clf --engine ray", [], "--engine 'ray' is not known. Known: auto, local, inprocess."),
    ("search --task image-clf --engine Local", [], "--engine 'Local' is not known. Did you mean local?"),
    ("search --task image-clf --engine", [], "--engine: expected one argument"),
    ("search --task image-clf --metric rmse", [], "--metric 'rmse' is not known."),
    ("search --task image-clf --include cnn,", [], "--include: needs names joined by commas. Got 'cnn,'."),
    ("search --task image-clf --include ,", [], "--include: needs names joined by commas."),
    ("search --task image-clf --include cn", [], "--include 'cn' is not known. Did you mean cnn?"),
    ("search --task image-clf --exclude CNN", [], "--exclude 'CNN' is not known."),
    ("search --task image-clf --include cnn --exclude cnn", [], "--exclude 'cnn': it is included too."),
    ("search --task image-clf --deploy bagg", [], "--deploy: 'bagg' is not known. Did you mean bag?"),
    ("search --task image-clf --max-latency-ms 0", [], "--max-latency-ms: needs a number above 0. Got 0."),
    ("search --task image-clf --max-latency-ms -2", [], "--max-latency-ms: needs a number above 0. Got -2."),
    ("search --task image-clf --max-latency-ms inf", [], "--max-latency-ms: needs a number above 0. Got inf."),
    ("search --task image-clf --max-latency-ms fast", [], "--max-latency-ms: needs a number above 0. Got fast."),
    ("search a --data b --task image-clf", [], "--data 'b': the data is given once. Got 'a' as well."),
    ("search --task image-clf --target y", [], "--target 'y': it is for tables and texts and series, and image-clf"),
    ("search --tsk image-clf", [], "--tsk: automl search has no such flag. Did you mean --task?"),
    ("search --task image-clf --dryrun", [], "Did you mean --dry-run?"),
    ("search --task image-clf --json=1", [], "--json: ignored explicit argument '1'"),
    ("search --task image-clf --quiet=1", [], "--quiet: ignored explicit argument '1'"),
    ("resume", [], "RUN is missing. See automl resume --help."),
    ("resume runs/x --budget soon", [], "--budget 'soon': 'soon' is not a unit."),
    ("resume runs/x --budget +0h", [], "the amount must be above zero."),
    ("resume runs/x --budget ++1h", [], "Got '+1h'"),
    ("resume runs/x --seed 3", [], "--seed: automl resume has no such flag."),
    ("leaderboard", [], "RUN is missing."),
    ("leaderboard runs/x --format xml", [], "--format: 'xml' is not known. Known: table, csv, json."),
    ("leaderboard runs/x --format jsn", [], "Did you mean json?"),
    ("predict", [], "MODEL is missing."),
    ("predict m", [], "DATA is missing."),
    ("predict m d", [], "-o/--output is missing."),
    ("predict m d -o", [], "-o/--output: expected one argument"),
    ("predict m d -o nowhere/deep/x.csv", [], "the folder 'nowhere/deep' does not exist. Make it first."),
    ("predict m d -o .", [], "needs a file, this is a folder. Write predictions.csv."),
    ("evaluate m", [], "DATA is missing."),
    ("evaluate m d --proba", [], "--proba: automl evaluate has no such flag."),
    ("export m", [], "-o/--output is missing."),
    ("export m -o out --format zip", [], "--format: 'zip' is not known. Known: folder, onnx."),
    ("report", [], "RUN is missing."),
    ("report a b", [], "b: automl report does not know what to do with it."),
    ("sync", [], "RUN is missing."),
    ("ui --port 0", [], "--port: needs a whole number of 1 or more. Got 0."),
    ("ui --port http", [], "--port: needs a whole number of 1 or more. Got http."),
    ("ui --tracking-uri sqlite:///none.db", [], "there is no file 'none.db'."),
    ("ui extra", [], "extra: automl ui does not know what to do with it."),
    ("list", [], "WHAT is missing."),
    ("list things", [], "WHAT: 'things' is not known. Known: tasks, candidates, spaces, metrics."),
    ("list task", [], "Did you mean tasks?"),
    ("list tasks --task image", [], "--task 'image' is not known. Did you mean image-clf?"),
    ("list tasks --format csv", [], "--format: 'csv' is not known."),
    ("doctor now", [], "now: automl doctor does not know what to do with it."),
    ("docter", [], "'docter' is not a command of automl. Did you mean doctor?"),
    ("SEARCH", [], "'SEARCH' is not a command of automl."),
    ("--verson", [], "'--verson' is not a command of automl."),
    ("-x", [], "'-x' is not a command of automl."),
]


@pytest.mark.parametrize(("words", "more", "message"), MISTAKES, ids=[words for words, _, _ in MISTAKES])
def test_a_mistake_is_one_line_with_code_2_and_leaves_nothing(
    words: str, more: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main([*words.split(), *more], started=0.0) == 2
    shown = capsys.readouterr()
    assert re.fullmatch(r"error: [^\n]*\n", shown.err)
    assert message in shown.err
    assert (shown.out, list(tmp_path.iterdir())) == ("", [])


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_flag_is_refused_by_every_command(command: str) -> None:
    with pytest.raises(UserError, match=f"--zebra: automl {command} has no such flag"):
        parser_of(command).read([*NEEDED[command], "--zebra"])


@pytest.mark.parametrize("command", COMMANDS)
def test_flags_are_never_guessed_from_their_beginning(command: str) -> None:
    flags = [flag for flag in parser_of(command)._option_string_actions if flag.startswith("--")]
    for flag in flags:
        cut = flag[:-1]
        if cut not in flags:
            with pytest.raises(UserError, match=f"{cut}: automl {command} has no such flag"):
                parser_of(command).read([*NEEDED[command], cut])


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_needed_is_enough(command: str) -> None:
    read = vars(parser_of(command).read(NEEDED[command]))
    optional = {"data"} if command == "search" else set()
    needed = {"task", "folder", "model", "data", "output"} - optional
    assert None not in [value for name, value in read.items() if name in needed]


@pytest.mark.parametrize("command", COMMANDS)
def test_asking_for_help_wins_over_mistakes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--zebra", "--help"], started=0.0) == 0
    assert capsys.readouterr().out.startswith(f"usage: automl {command}")


@pytest.mark.parametrize("command", COMMANDS)
def test_no_line_of_help_is_wider_than_a_terminal(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert max(map(len, parser_of(command).format_help().splitlines())) <= 120


@pytest.mark.parametrize("command", COMMANDS)
def test_the_examples_of_a_command_are_read_by_it(command: str) -> None:
    shown = parser_of(command).format_help().split("examples:\n")[1]
    for line in shown.strip().splitlines():
        words = line.split(" > ")[0].split()
        assert words[:2] == ["automl", command]
        parser_of(command).read(words[2:])


@pytest.mark.parametrize("engine", ["auto", *names("executor")])
def test_every_registered_engine_is_taken(engine: str) -> None:
    from automl.cli.search import build_request

    assert build_request(parser_of("search").read([*SEARCH[1:], "--engine", engine])).engine == engine


def test_the_overview_tells_usage_commands_options_and_examples(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"], started=0.0)
    shown = capsys.readouterr().out
    assert re.findall(r"^(\w+):", shown, flags=re.M) == ["usage", "commands", "options", "examples"]
    assert all(summary in shown for summary in COMMANDS.values())


def test_the_examples_of_the_overview_are_read_by_their_commands(capsys: pytest.CaptureFixture[str]) -> None:
    main([], started=0.0)
    for line in capsys.readouterr().out.split("examples:\n")[1].strip().splitlines():
        _, command, *words = line.split()
        parser_of(command).read(words)


@pytest.mark.parametrize(
    ("name", "value"), [("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false"), ("MLFLOW_DISABLE_TELEMETRY", "true")]
)
def test_the_server_of_the_pages_runs_no_jobs_and_tells_nobody(name: str, value: str) -> None:
    assert _environment()[name] == value


@pytest.mark.parametrize("place", ["a-file", "full-folder"])
def test_an_export_over_something_is_refused(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").write_text("x")
    (tmp_path / "full-folder").mkdir()
    (tmp_path / "full-folder" / "x").write_text("x")
    assert main(["export", "m", "-o", place], started=0.0) == 2
    assert f"--output '{place}': exists and is not an empty folder. Name another one." in capsys.readouterr().err


@pytest.mark.parametrize("command", ["leaderboard", "report", "sync", "resume"])
def test_a_run_that_is_not_there_is_named(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([command, "runs/flowers"], started=0.0) == 2
    assert re.match(r"error: runs/flowers[^\n]*\n$", capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []
