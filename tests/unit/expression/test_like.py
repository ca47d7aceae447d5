"""LIKE and ILIKE."""

from __future__ import annotations

import pytest

from tests.unit.expression.evaluation import refusal_of, state_of, value_of

CASES = [
    ("", "", True),
    ("", "%", True),
    ("", "_", False),
    ("abc", "abc", True),
    ("abc", "a%", True),
    ("abc", "%c", True),
    ("abc", "%b%", True),
    ("abc", "a%c", True),
    ("abc", "a_c", True),
    ("abc", "___", True),
    ("abc", "____", False),
    ("abc", "%_%_%_%", True),
    ("abc", "%_%_%_%_%", False),
    ("abab", "%ab", True),
    ("aba", "ab%ba", False),
    ("a\nb", "a%b", True),
    ("日本", "_本", True),
    ("a%b", "a\\%b", True),
    ("axb", "a\\%b", False),
    ("a\\b", "a\\\\b", True),
    ("aaab", "%aab", True),
    ("ABC", "abc", False),
]


@pytest.mark.parametrize(("text", "pattern", "expected"), CASES)
def test_a_known_and_a_computed_pattern_match_alike(text: str, pattern: str, expected: bool) -> None:
    quoted = pattern.replace("'", "''")
    assert value_of(f"t LIKE '{quoted}'", t=text) is expected
    assert value_of("t LIKE u", t=text, u=pattern) is expected
    assert value_of(f"t NOT LIKE '{quoted}'", t=text) is not expected


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("Ada", "aDA", True),
        ("ÄÖ", "ä_", True),
        ("Ada", "%D%", True),
        ("Ada", "a", False),
        ("Ada", "ad%", True),
    ],
)
def test_ilike_ignores_case(text: str, pattern: str, expected: bool) -> None:
    assert value_of(f"t ILIKE '{pattern}'", t=text) is expected
    assert value_of("t ILIKE u", t=text, u=pattern) is expected


@pytest.mark.parametrize(
    ("text", "pattern", "escape", "expected"),
    [
        ("100%", "100!%", "!", True),
        ("100x", "100!%", "!", False),
        ("a\\", "a\\", "!", True),
        ("a\\b", "a\\_", "", True),
        ("a_", "a%_", "%", True),
        ("a%", "a__", "_", False),
        ("a_", "a__", "_", True),
    ],
)
def test_escape(text: str, pattern: str, escape: str, expected: bool) -> None:
    assert value_of(f"t LIKE '{pattern}' ESCAPE '{escape}'", t=text) is expected


@pytest.mark.parametrize(
    ("text", "pattern", "fails"),
    [
        ("ab", "a\\", True),
        ("a", "a\\", False),
        ("b", "a\\", False),
        ("ab", "%\\", True),
        ("", "%\\", False),
        ("xay", "%a\\", True),
        ("xa", "%a\\", False),
        ("abb", "%___%\\", True),
        ("ab", "%___%\\", False),
    ],
)
def test_a_dangling_escape_fails_where_matching_comes_to_it(text: str, pattern: str, fails: bool) -> None:
    if fails:
        assert state_of("t LIKE u", t=text, u=pattern) == "22025"
    else:
        assert value_of("t LIKE u", t=text, u=pattern) is False


def test_null_matches_nothing_and_everything() -> None:
    assert value_of("t LIKE '%'", t=None) is None
    assert value_of("t LIKE NULL", t="a") is None


def test_a_hostile_pattern_takes_no_exponential_time() -> None:
    assert value_of("t LIKE u", t="a" * 5_000, u="%a" * 200 + "b") is False


def test_only_texts_match() -> None:
    assert refusal_of("n LIKE '4%'").message == "text is wanted here, not bigint"
    assert "one character" in refusal_of("t LIKE 'a' ESCAPE 'xy'").message
