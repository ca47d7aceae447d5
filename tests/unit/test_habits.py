"""Habits of the code, kept by looking at every file: sizes, docstrings, SQL, log lines, addresses."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from tests.unit.source_tree import ROOT, Offence, listed, method_calls, python_files, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_LINES_OF_A_FILE: Final = 250
MOST_LINES_OF_A_FUNCTION: Final = 40
RUNS_SQL: Final = frozenset({"execute", "executemany", "copy", "stream"})
LOG_LEVELS: Final = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
# Addresses of registries and of one machine, in pieces so that this file does not offend itself.
FOREIGN: Final = re.compile(
    "|".join(("files[.]python" + "hosted", "pypi" + "[.]org", "npm" + "js", "/wo" + "rk/", "/ro" + "ot/"))
)


def test_every_module_has_a_docstring() -> None:
    assert not listed(
        Offence(file, 1, "has no docstring")
        for file in python_files("stages", "pipeline", "tests")
        if file.stat().st_size and not ast.get_docstring(tree_of(file))
    )


def test_files_are_short() -> None:
    assert not listed(
        Offence(file, 1, f"{lines} lines")
        for file in python_files("stages", "pipeline", "tests")
        if (lines := len(file.read_text(encoding="utf-8").splitlines())) > MOST_LINES_OF_A_FILE
    )


def test_functions_are_short() -> None:
    assert not listed(found for file in python_files("stages", "pipeline") for found in long_functions(file))


def long_functions(file: Path) -> Iterator[Offence]:
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.FunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > MOST_LINES_OF_A_FUNCTION:
                yield Offence(file, node.lineno, f"{node.name} has {lines} lines")


def test_no_statement_is_built_from_strings() -> None:
    assert not listed(
        Offence(file, call.lineno, "runs a statement built from strings: keep it in sql/, or use psycopg.sql")
        for file in python_files("pipeline", "tests")
        for call, _ in method_calls(file, RUNS_SQL.__contains__)
        if call.args and is_built(call.args[0])
    )


def is_built(node: ast.expr) -> bool:
    """Whether a text is put together: f"...", "..." + x, "..." % x, or "...".format(x)."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr == "format" and isinstance(node.func.value, ast.Constant | ast.JoinedStr)
    return isinstance(node, ast.JoinedStr | ast.BinOp)


@pytest.mark.parametrize(
    ("statement", "built"),
    [
        ('f"DROP TABLE {name}"', True),
        ('"DROP TABLE " + name', True),
        ('"DROP TABLE %s" % name', True),
        ('"DROP TABLE {}".format(name)', True),
        ('sql.SQL("DROP TABLE {}").format(name)', False),
        ('queries["drop"]', False),
        ('"SELECT 1"', False),
    ],
)
def test_a_built_statement_is_recognised(statement: str, built: bool) -> None:
    assert is_built(ast.parse(statement, mode="eval").body) == built


def test_every_log_line_has_an_action() -> None:
    assert not listed(
        Offence(file, call.lineno, 'logs without a constant action="what_happened"')
        for file in python_files("pipeline")
        for call, method in method_calls(file, LOG_LEVELS.__contains__)
        if ast.unparse(method.value).rpartition(".")[2] in {"log", "_log"} and not has_action(call)
    )


def has_action(call: ast.Call) -> bool:
    values = [keyword.value for keyword in call.keywords if keyword.arg == "action"]
    return any(
        isinstance(value, ast.Constant) and re.fullmatch(r"[a-z]+(_[a-z]+)*", str(value.value))
        for value in values
    )


def test_no_tracked_file_knows_one_machine_or_a_registry() -> None:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    names = subprocess.run(
        [git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    files = [ROOT / name for name in names.split("\0") if name]
    assert not listed(found for file in files if file.is_file() for found in foreign_addresses(file))


def foreign_addresses(file: Path) -> Iterator[Offence]:
    lines = file.read_bytes().decode("utf-8", errors="ignore").splitlines()
    yield from (
        Offence(file, n, line.strip()[:80]) for n, line in enumerate(lines, 1) if FOREIGN.search(line)
    )
