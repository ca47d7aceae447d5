"""Text functions and ||."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from stages.expression import SqlType
from tests.unit.expression.evaluation import refusal_of, state_of, type_of, value_of

MILLION = 1_048_576


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("UPPER('straße ŉ ᾳ')", "STRAßE ŉ ᾼ"),
        ("LOWER('İSTANBUL ÄΔ')", "istanbul äδ"),
        ("LENGTH('🙂é')", 2),
        ("TRIM('  a\tb  ')", "a\tb"),
        ("TRIM('')", ""),
        ("BTRIM('xyaxy', '')", "xyaxy"),
        ("TRIM(TRAILING 'x' FROM 'xax')", "xa"),
        ("SUBSTRING('abcdef', 2, 3)", "bcd"),
        ("SUBSTRING('abcdef', -1, 3)", "a"),
        ("SUBSTRING('abcdef', -5, 3)", ""),
        ("SUBSTRING('abcdef' FOR 2)", "ab"),
        ("SUBSTRING('abcdef', 3, 2147483647)", "cdef"),
        ("SUBSTRING('abc', 9)", ""),
        ("LEFT('abc', 0)", ""),
        ("LEFT('abc', -5)", ""),
        ("RIGHT('abc', 0)", ""),
        ("RIGHT('abc', 5)", "abc"),
        ("RIGHT('abc', -1)", "bc"),
        ("RIGHT('abc', -4)", ""),
        ("REPLACE('aaa', 'aa', 'b')", "ba"),
        ("REPLACE('aaa', '', 'b')", "aaa"),
        ("STRPOS('abc', '')", 1),
        ("POSITION('' IN '')", 1),
        ("LPAD('abc', 5, 'xy')", "xyabc"),
        ("LPAD('abc', 6, 'xy')", "xyxabc"),
        ("LPAD('abc', -1)", ""),
        ("LPAD('abc', 5, '')", "abc"),
        ("RPAD('abc', 2, 'x')", "ab"),
        ("SPLIT_PART('a,b', ',', 3)", ""),
        ("SPLIT_PART('a,b', ',', -2)", "a"),
        ("SPLIT_PART('a,b', '', 1)", "a,b"),
        ("SPLIT_PART('', ',', 1)", ""),
        ("MD5('')", "d41d8cd98f00b204e9800998ecf8427e"),
        ("CONCAT('a', NULL, 1, TRUE)", "a1t"),
        ("CONCAT_WS(',', 'a', NULL, 'b')", "a,b"),
        ("CONCAT_WS(NULL, 'a', 'b')", None),
        ("CONCAT_WS(',', NULL)", ""),
        ("'a' || NULL", None),
        ("1 || 'a'", "1a"),
        ("'a' || 'b' || 2", "ab2"),
    ],
)
def test_values(text: str, expected: object) -> None:
    assert value_of(text) == expected


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("b", True, "true"),
        ("n", -5, "-5"),
        ("q", Decimal("1E-7"), "0.0000001"),
        ("f", 1e15, "1e+15"),
        ("f", 123456789012345.0, "123456789012345"),
        ("f", 0.0001, "0.0001"),
        ("f", 0.00001, "1e-05"),
        ("f", 1e23, "9.999999999999999e+22"),
        ("f", 5e-324, "5e-324"),
        ("f", -0.0, "-0"),
        ("f", float("-inf"), "-Infinity"),
        ("d", date(33, 2, 1), "0033-02-01"),
        ("s", datetime.fromisoformat("2024-01-02T03:04:05.120"), "2024-01-02 03:04:05.12"),
        ("z", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), "2024-01-02 03:04:05+00"),
    ],
)
def test_values_of_other_types_are_joined_as_a_cast_writes_them(
    column: str, value: object, expected: str
) -> None:
    assert value_of(f"'' || {column}", **{column: value}) == expected
    assert value_of(f"{column}::text", **{column: value}) == expected


@pytest.mark.parametrize(
    ("text", "row", "state"),
    [
        ("SUBSTRING(t, 1, n)", {"t": "a", "n": -1}, "22011"),
        ("SPLIT_PART(t, ',', n)", {"t": "a", "n": 0}, "22023"),
        ("LEFT(t, n)", {"t": "a", "n": 2**31}, "22003"),
        ("LPAD(t, n)", {"t": "a", "n": MILLION + 1}, "54000"),
        ("REPLACE(t, 'a', t)", {"t": "a" * 2_000}, "54000"),
        ("t || t", {"t": "a" * MILLION}, "54000"),
        ("CONCAT(t, t)", {"t": "a" * MILLION}, "54000"),
        ("CONCAT_WS(t, 'a', 'b')", {"t": "a" * MILLION}, "54000"),
    ],
)
def test_failures(text: str, row: dict[str, Any], state: str) -> None:
    assert state_of(text, **row) == state


def test_a_chain_of_replacements_cannot_fill_the_memory() -> None:
    text = "t"
    for _ in range(20):
        text = f"REPLACE({text}, 'a', 'aaaaaaaaaa')"
    assert state_of(text, t="a") == "54000"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("UPPER(n)", "text is wanted here, not bigint"),
        ("n || m", "bigint || bigint is not defined"),
        ("b || c", "|| joins texts"),
        ("SUBSTRING(t, 'a')", "substring counts characters: there are no regular expressions"),
        ("LEFT(t, 1.5)", "bigint is wanted here, not numeric"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    assert refusal_of(text).message == message


def test_types() -> None:
    assert type_of("LENGTH(t)") is SqlType.INTEGER
    assert type_of("t || n") is SqlType.TEXT
