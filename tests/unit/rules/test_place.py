"""Places inside strings: the line and column of a value's character, however the string is written."""

from __future__ import annotations

import tomllib

import pytest

from stages.rules.place import Fault, Place, Text


def text(raw: str) -> Text:
    return Text(tomllib.loads(f"value = {raw}")["value"], Place("rules.toml", 3, 9), raw)


@pytest.mark.parametrize(
    ("raw", "of", "line", "column"),
    [
        ('"stauts = 1"', "stauts", 3, 10),
        ('"a OR stauts"', "stauts", 3, 15),
        (r'"\"a\" = \u00e9 stauts"', "stauts", 3, 25),
        (r"'\a stauts'", "stauts", 3, 13),
        ('"""\na OR\n  stauts"""', "stauts", 5, 3),
        ('"""a OR\n  stauts"""', "stauts", 4, 3),
        ('"""a OR \\\n   stauts"""', "stauts", 4, 4),
        ("'''\na\n\\stauts'''", "stauts", 5, 2),
    ],
)
def test_a_word_is_found_where_it_was_written(raw: str, of: str, line: int, column: int) -> None:
    value = text(raw)
    before = value.value[: value.value.index(of)]
    place = value.at(before.count("\n") + 1, len(before) - before.rfind("\n"))
    assert place == Place("rules.toml", line, column)


def test_the_end_of_a_value_is_before_its_closing_quotes() -> None:
    assert text('"a ="').at(1, 4) == Place("rules.toml", 3, 13)
    assert text('"a ="').at(7, 99) == Place("rules.toml", 3, 13)


def test_a_text_without_its_writing_stands_at_its_place() -> None:
    assert Text("a", Place("rules.toml", 3, 9)).at(1, 1) == Place("rules.toml", 3, 9)


def test_a_fault_says_where_what_and_what_to_do() -> None:
    fault = Fault(Place("rules.toml", 3, 9), "unknown key `form`", "accounts", "did you mean `from`?")
    assert str(fault) == "rules.toml:3: rule accounts: unknown key `form` (did you mean `from`?)"
    assert str(Fault(Place("rules.toml", 1, 1), "not valid TOML")) == "rules.toml:1: not valid TOML"
