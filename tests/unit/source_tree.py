"""The source tree as data, for the tests that keep its habits."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT: Final = Path(__file__).resolve().parents[2]


class Offence(NamedTuple):
    """A place that breaks a habit."""

    file: Path
    line: int
    what: str


def listed(offences: Iterable[Offence]) -> list[str]:
    """The offences, for a message."""
    return [f"{file.relative_to(ROOT)}:{line}: {what}" for file, line, what in offences]


def python_files(*folders: str) -> list[Path]:
    """Every Python file of the folders."""
    return [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]


@cache
def tree_of(file: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """The line and full name of everything that a file imports, anywhere in it."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


def method_calls(file: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[ast.Call, ast.Attribute]]:
    """The calls of methods with a wanted name, and what was called."""
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and wanted(node.func.attr):
            yield node, node.func
