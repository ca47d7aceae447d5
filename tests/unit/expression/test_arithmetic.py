"""Arithmetic of integers, decimals and doubles, with Postgres's scales and errors."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from stages.expression import SqlType
from tests.unit.expression.evaluation import refusal_of, state_of, type_of, value_of

MOST = 2**63 - 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("7 % -2", 1),
        ("-7 % 2", -1),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("2 - 3 - 4", -5),
        ("- - 2", 2),
    ],
)
def test_integers(text: str, expected: int) -> None:
    assert value_of(text) == expected
    assert type_of(text) is SqlType.INTEGER


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.1 + 0.2", "0.3"),
        ("1.00 + 1", "2.00"),
        ("1.5 * 1.50", "2.250"),
        ("1.0 / 3", "0.33333333333333333333"),
        ("10000.0 / 3", "3333.3333333333333333"),
        ("1 / 3.0", "0.33333333333333333333"),
        ("2 / 10000000000000000000000.0", "0.0000000000000000000002000000000000000000"),
        ("1e-20 / 3", "0.0000000000000000000033333333333333333333"),
        ("7.5 % 2", "1.5"),
        ("-7.5 % 2", "-1.5"),
        ("-0.5 * 0", "0.0"),
        ("9223372036854775808 + 0", "9223372036854775808"),
        ("'NaN'::numeric + 1", "NaN"),
        ("'Infinity'::numeric * -1", "-Infinity"),
        ("1 / 'Infinity'::numeric", "0"),
    ],
)
def test_decimals_keep_the_digits_that_postgres_keeps(text: str, expected: str) -> None:
    assert format(value_of(text), "f") == expected
    assert type_of(text) is SqlType.NUMERIC


def test_a_column_divides_as_a_literal_does() -> None:
    assert value_of("q / n", q=Decimal("1234.50"), n=7) == Decimal("176.3571428571428571")


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("n / m", {"n": 1, "m": 0}),
        ("q / 0", {"q": Decimal(1)}),
        ("f / 0", {"f": 1.0}),
        ("n % m", {"n": 1, "m": 0}),
    ],
)
def test_division_by_zero(text: str, row: dict[str, Any]) -> None:
    assert state_of(text, **row) == "22012"


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("n + 1", {"n": MOST}),
        ("n - 1", {"n": -MOST - 1}),
        ("n * 2", {"n": MOST}),
        ("- n", {"n": -MOST - 1}),
        ("n / -1", {"n": -MOST - 1}),
        ("ABS(n)", {"n": -MOST - 1}),
        ("f * f", {"f": 1e200}),
        ("f * f", {"f": 1e-200}),
        ("f + f", {"f": 1.7e308}),
        ("f / 1e10", {"f": 1e-320}),
        ("q * q", {"q": Decimal("1e100000")}),
    ],
)
def test_what_does_not_fit_is_an_error(text: str, row: dict[str, Any]) -> None:
    assert state_of(text, **row) == "22003"


def test_doubles_know_infinity_and_nan() -> None:
    assert value_of("f + 1", f=math.inf) == math.inf
    assert math.isnan(value_of("f - f", f=math.inf))
    assert math.isnan(value_of("f / 0", f=math.nan))
    assert value_of("f * 2", f=0.25) == 0.5


def test_one_double_makes_the_whole_a_double() -> None:
    assert type_of("n + q * f") is SqlType.DOUBLE
    assert type_of("n + q") is SqlType.NUMERIC


def test_null_makes_the_result_null() -> None:
    assert value_of("n + NULL", n=1) is None
    assert type_of("n + NULL") is SqlType.INTEGER
    assert value_of("n + '2'", n=1) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t + 1", "text + bigint is not defined"),
        ("f % 2", "double precision has no %"),
        ("-t", "the minus sign stands before a number, not text"),
        ("b * 2", "boolean * bigint is not defined"),
        ("'1' + '2'", "a text literal + a text literal is not defined"),
    ],
)
def test_other_types_are_refused(text: str, message: str) -> None:
    assert refusal_of(text).message == message
