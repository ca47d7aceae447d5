"""Who may import whom: `stages` is pure and knows nothing of `pipeline`, and neither knows the tests."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from tests.unit.source_tree import Offence, imports, listed, method_calls, python_files, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What would let a stage see more than its arguments, or do more than return.
IMPURE: Final = re.compile(
    "asyncio|ctypes|http|io|logging|multiprocessing|os|pathlib|pipeline|psycopg|random|redis|secrets|select|"
    "shutil|signal|socket|sqlite3|ssl|structlog|subprocess|sys|tempfile|threading|time|urllib"
)
UNREPEATABLE: Final = frozenset({"now", "utcnow", "today", "monotonic", "perf_counter", "uuid1", "uuid4"})
TESTING: Final = re.compile("tests|pytest|hypothesis")


def imported(file: Path, roots: re.Pattern[str]) -> Iterator[Offence]:
    for line, name in imports(file):
        if roots.fullmatch(name.partition(".")[0]):
            yield Offence(file, line, f"imports {name}")


def test_the_stages_import_no_input_output_clock_or_randomness() -> None:
    assert not listed(found for file in python_files("stages") for found in imported(file, IMPURE))


def test_the_stages_ask_for_no_time_and_no_chance() -> None:
    assert not listed(
        Offence(file, call.lineno, f"calls {method.attr}()")
        for file in python_files("stages")
        for call, method in method_calls(file, UNREPEATABLE.__contains__)
    )


def test_nothing_imports_the_tests() -> None:
    files = python_files("stages", "pipeline")
    assert not listed(found for file in files for found in imported(file, TESTING))


def test_imports_are_absolute() -> None:
    assert not listed(
        Offence(file, line, f"imports {name}")
        for file in python_files("stages", "pipeline", "tests")
        for line, name in imports(file)
        if name.startswith(".")
    )


def test_code_is_synchronous() -> None:
    kinds = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    assert not listed(
        Offence(file, node.lineno, "is asynchronous")
        for file in python_files("stages", "pipeline")
        for node in ast.walk(tree_of(file))
        if isinstance(node, kinds)
    )
