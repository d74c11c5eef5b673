"""The package and its tests as syntax trees, read once; nothing of them is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """One imported module, as written in one line; `eager` when it happens while the importing module is loaded."""

    target: str
    line: int
    eager: bool


@dataclass(frozen=True)
class Source:
    """One file."""

    path: Path
    name: str

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    @cached_property
    def functions(self) -> list[Function]:
        return [node for node in ast.walk(self.tree) if isinstance(node, Function)]

    def imports(self) -> Iterator[Import]:
        yield from self._imports(self.tree, eager=True)

    def _imports(self, node: ast.AST, *, eager: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(alias.name, child.lineno, eager) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                yield from (Import(f"{self._base(child)}.{a.name}", child.lineno, eager) for a in child.names)
            elif not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
                yield from self._imports(child, eager=eager and not isinstance(child, Function | ast.Lambda))

    def _base(self, node: ast.ImportFrom) -> str:
        """The module that names are imported from, dots resolved."""
        if not node.level:
            return str(node.module)
        here = self.name.split(".") + ["__init__"] * (self.path.name == "__init__.py")
        return ".".join([*here[: -node.level], *([node.module] if node.module else [])])

    def where(self, node: ast.expr | ast.stmt | ast.excepthandler) -> str:
        return f"{self.path.relative_to(ROOT)}:{node.lineno}"


@dataclass(frozen=True)
class Tree:
    """All files under a folder, by module name."""

    sources: dict[str, Source]

    @classmethod
    def read(cls, folder: Path) -> Tree:
        found = {}
        for path in sorted(folder.rglob("*.py")):
            parts = [folder.name, *path.relative_to(folder).with_suffix("").parts]
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = Source(path, name)
        return cls(found)

    def owner(self, target: str) -> str | None:
        """The module of ours that an imported name is, or lies in."""
        while target and target not in self.sources:
            target = target.rpartition(".")[0]
        return target or None

    def eager_edges(self) -> dict[str, set[str]]:
        graph = {}
        for name, source in self.sources.items():
            owners = {self.owner(i.target) for i in source.imports() if i.eager}
            graph[name] = {o for o in owners if o is not None} - {name}
        return graph

    @property
    def functions(self) -> list[tuple[Source, Function]]:
        return [(source, function) for source in self.sources.values() for function in source.functions]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def package() -> Tree:
    return Tree.read(ROOT / "automl")


@pytest.fixture(scope="session")
def suite() -> Tree:
    return Tree.read(ROOT / "tests")
