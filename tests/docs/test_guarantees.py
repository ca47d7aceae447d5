"""docs/guarantees.md: every test that it names is there, and every guarantee has its section."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.pages import DOCS, ROOT, headings, read

PAGE = DOCS / "guarantees.md"
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::([\w:]+))?`", read(PAGE))


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_named_test_exists(file: str, test: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert set(test.split("::")) - {""} <= names


def test_tests_are_named() -> None:
    assert len(NAMED) >= 10


def test_every_guarantee_has_its_section() -> None:
    numbers = [match[1] for heading in headings(PAGE) if (match := re.match(r"(G\d): ", heading))]
    assert numbers == [f"G{number}" for number in range(1, 8)]
