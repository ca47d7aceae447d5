"""docs/scenarios.md: each scenario names a test that is there, and each test of a scenario is named."""

from __future__ import annotations

import ast
import re
from typing import Final

from tests.docs.pages import DOCS, ROOT, read

ROWS: Final = re.findall(
    r"^\| (\d+) \|.*\| `(tests/[\w/]+\.py)::(\w+)` \|$", read(DOCS / "scenarios.md"), re.MULTILINE
)


def test_each_scenario_has_its_test_and_each_test_its_scenario() -> None:
    there = {
        (str(file.relative_to(ROOT)), node.name)
        for file in (ROOT / "tests" / "scenarios").glob("test_*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    named = [(file, test) for _, file, test in ROWS]
    assert sorted(named) == sorted(there)


def test_the_scenarios_are_in_order() -> None:
    numbers = [int(number) for number, *_ in ROWS]
    assert numbers == sorted(set(numbers))
    assert {*range(1, 36), *range(37, 47), 49, 50} <= set(numbers)
