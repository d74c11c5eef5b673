from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from typing import Any

TRIVIAL = 5
"""Files shorter than this only mark a package."""
BROAD = {"Exception", "BaseException"}


def quantile(values: list[int], share: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(100 * share) - 1]


def file_lengths(package: Any) -> list[int]:
    return [s.lines for s in package.sources.values() if s.lines >= TRIVIAL]


def length(node: ast.AST) -> int:
    return node.end_lineno - node.lineno + 1  # type: ignore[attr-defined]


def arguments(function: Any) -> list[ast.arg]:
    spec = function.args
    named = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs]
    return [a for a in named if a.arg not in ("self", "cls")]


def public(package: Any) -> Iterator[tuple[Any, Any]]:
    """All that another module may use: functions inside of functions are nobody's."""
    for source in package.sources.values():
        inner = {n for f in source.functions for n in ast.walk(f) if n is not f}
        for node in ast.walk(source.tree):
            is_named = isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
            if is_named and node not in inner:
                yield source, node


def test_files_are_short(package: Any) -> None:
    assert [f"{s.name}: {s.lines}" for s in package.sources.values() if s.lines > 400] == []
    assert statistics.median(file_lengths(package)) <= 120
    assert quantile(file_lengths(package), 0.9) <= 250


def test_functions_are_short(package: Any) -> None:
    sizes = [length(f) for _, f in package.functions]
    assert [f"{s.where(f)} {length(f)}" for s, f in package.functions if length(f) > 60] == []
    assert statistics.median(sizes) <= 9
    assert quantile(sizes, 0.9) <= 30


def test_functions_take_few_arguments(package: Any) -> None:
    assert [f"{s.where(f)} {f.name}" for s, f in package.functions if len(arguments(f)) > 7] == []


def test_no_boolean_is_passed_by_position(package: Any) -> None:
    wrong = [
        f"{s.where(f)} {f.name}({a.arg})"
        for s, f in package.functions
        for a in (*f.args.posonlyargs, *f.args.args)
        if a.annotation is not None and ast.unparse(a.annotation) == "bool" and not overrides(f)
    ]
    assert wrong == []


def overrides(function: Any) -> bool:
    """Whether a method's arguments are given by somebody else's base class: it then says so by its name."""
    return bool(function.name in {"get_all_trials", "forward", "train"})


def test_everything_is_annotated(package: Any) -> None:
    bare = [
        f"{s.where(f)} {f.name}"
        for s, f in package.functions
        if f.returns is None or any(a.annotation is None for a in arguments(f))
    ]
    assert bare == []


def test_everything_public_is_documented(package: Any) -> None:
    assert [f"{s.where(n)} {n.name}" for s, n in public(package) if not ast.get_docstring(n)] == []


def test_every_module_says_what_it_is_for(package: Any) -> None:
    assert [s.name for s in package.sources.values() if not ast.get_docstring(s.tree)] == []


def test_there_are_two_fences_and_no_other_broad_except(package: Any) -> None:
    broad = [
        s.where(node)
        for s in package.sources.values()
        for node in ast.walk(s.tree)
        if isinstance(node, ast.ExceptHandler) and is_broad(node)
    ]
    assert len(broad) <= 2, broad


def is_broad(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or bool(BROAD & set(ast.unparse(handler.type).strip("()").split(", ")))


def test_nothing_prints(package: Any) -> None:
    calls = ((s, n) for s in package.sources.values() if not is_outlet(s.name) for n in ast.walk(s.tree))
    assert [s.where(n) for s, n in calls if isinstance(n, ast.Call) and ast.unparse(n.func) == "print"] == []


def is_outlet(module: str) -> bool:
    return module.startswith("automl.cli.") or module in ("automl.serving.command", "automl.serving.runner")


def test_errors_show_the_value(package: Any) -> None:
    said = [
        (s.where(n), has_value(n.exc))
        for s in package.sources.values() for n in ast.walk(s.tree)
        if isinstance(n, ast.Raise) and isinstance(n.exc, ast.Call)
        and ast.unparse(n.exc.func) not in ("SystemExit", "StopIteration")
    ]  # fmt: skip
    assert sum(shown for _, shown in said) / len(said) >= 0.95, [where for where, shown in said if not shown]


def has_value(call: ast.Call) -> bool:
    """Whether something that is not written out stands in the arguments of an exception."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return any(
        isinstance(n, ast.FormattedValue | ast.Name | ast.Attribute | ast.Mod) for g in given for n in ast.walk(g)
    )


def test_every_expected_error_is_matched_by_its_text(suite: Any) -> None:
    expected = [
        (s, n) for s in suite.sources.values() for n in ast.walk(s.tree)
        if isinstance(n, ast.Call) and ast.unparse(n.func) in ("pytest.raises", "raises", "pytest.warns")
    ]  # fmt: skip
    assert [s.where(n) for s, n in expected if "match" not in {k.arg for k in n.keywords}] == []


def test_tests_are_short(suite: Any) -> None:
    sizes = [length(f) for _, f in suite.functions if f.name.startswith("test_")]
    assert statistics.median(sizes) <= 10


def test_there_are_as_many_lines_of_tests_as_of_source(package: Any, suite: Any) -> None:
    tested = sum(s.lines for s in suite.sources.values())
    assert tested / sum(file_lengths(package)) >= 1.0


def test_nothing_is_left_to_do_later(package: Any, suite: Any) -> None:
    words = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
    every = [*package.sources.values(), *suite.sources.values()]
    assert [f"{s.name}: {w}" for s in every for w in words if w in s.text] == []


def test_nothing_unpickles(package: Any) -> None:
    names = {"pickle.load", "pickle.loads", "joblib.load", "yaml.load", "eval", "exec", "torch.load"}
    calls = ((s, n) for s in package.sources.values() for n in ast.walk(s.tree) if isinstance(n, ast.Call))
    found = [(s, n) for s, n in calls if ast.unparse(n.func) in names]
    assert [s.where(n) for s, n in found if "weights_only=True" not in ast.unparse(n)] == []


def test_every_array_is_loaded_without_pickles(package: Any) -> None:
    calls = ((s, n) for s in package.sources.values() for n in ast.walk(s.tree) if isinstance(n, ast.Call))
    loads = [(s, n) for s, n in calls if ast.unparse(n.func) == "np.load"]
    assert [s.where(n) for s, n in loads if "allow_pickle=False" not in ast.unparse(n)] == []
