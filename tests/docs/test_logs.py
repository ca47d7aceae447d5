"""docs/logs.md lists every action that a log line can have, and no other."""

from __future__ import annotations

import ast

from tests.docs.pages import DOCS, first_column, read
from tests.unit.source_tree import method_calls, python_files

LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})


def actions() -> set[str]:
    return {
        str(keyword.value.value)
        for file in python_files("pipeline")
        for call, _ in method_calls(file, LEVELS.__contains__)
        for keyword in call.keywords
        if keyword.arg == "action" and isinstance(keyword.value, ast.Constant)
    }


def test_every_action_is_listed_and_each_listed_one_exists() -> None:
    assert set(first_column(read(DOCS / "logs.md"))) == actions()


def test_actions_are_found_at_all() -> None:
    assert {"started", "outage", "relay_leading"} <= actions()
