"""The source as tests of the architecture read it: modules, their imports, and the files beside them."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from integrations.connectors import CONNECTORS

__all__ = ["CONNECTORS", "PACKAGES", "ROOT", "Import", "Module", "below", "files", "modules"]

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("pinxero", "integrations", "workflows")
_NOT_OURS = {"__pycache__", "static", "node_modules"}


@dataclass(frozen=True)
class Import:
    """One imported module, or name of one; `for_types` where only type checkers follow it."""

    module: str
    line: int
    for_types: bool


@dataclass(frozen=True)
class Module:
    """One Python file."""

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every import, those inside functions too. `from a import b` counts as `a` and as `a.b`."""
        return tuple(self._imports(self.tree, for_types=False))

    def _imports(self, node: ast.AST, *, for_types: bool) -> Iterator[Import]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.body:
                yield from self._imports(child, for_types=True)
            for child in node.orelse:
                yield from self._imports(child, for_types=for_types)
            return
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, for_types)
        elif isinstance(node, ast.ImportFrom):
            base = self._absolute(node)
            yield Import(base, node.lineno, for_types)
            for alias in node.names:
                yield Import(f"{base}.{alias.name}", node.lineno, for_types)
        for child in ast.iter_child_nodes(node):
            yield from self._imports(child, for_types=for_types)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.name.split(".")
        if self.path.name != "__init__.py":
            package = package[:-1]
        package = package[: len(package) - node.level + 1]
        return ".".join([*package, *([node.module] if node.module else [])])

    def at(self, line: int) -> str:
        """A place as people look for it."""
        return f"{self.path.relative_to(ROOT)}:{line}"


@lru_cache(maxsize=1)
def modules() -> dict[str, Module]:
    """Every module of the product by its dotted name, migrations aside: Django writes those."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if "migrations" not in parts:
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                found[name] = Module(name, path)
    return found


def below(name: str, *packages: str) -> bool:
    """Whether a module is one of the packages or inside one."""
    return any(name == package or name.startswith(package + ".") for package in packages)


def files(*suffixes: str) -> Iterator[Path]:
    """Every file of the repository with one of the suffixes (all with none), what is built or ignored left out."""
    for folder, names, found in os.walk(ROOT):
        names[:] = sorted(
            name
            for name in names
            if (name not in _NOT_OURS and (not name.startswith(".") or name == ".ci"))
            or (name == "static" and Path(folder).name == "pinxero")
        )
        for name in sorted(found):
            path = Path(folder) / name
            if (not suffixes or path.suffix in suffixes) and (not name.startswith(".env")) and ".sqlite3" not in name:
                yield path
