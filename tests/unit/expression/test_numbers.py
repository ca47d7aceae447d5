"""ABS, CEIL, FLOOR, ROUND, SIGN, TRUNC and MOD."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from stages.expression import SqlType
from tests.unit.expression.evaluation import refusal_of, type_of, value_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ROUND(2.5)", "3"),
        ("ROUND(-2.5)", "-3"),
        ("ROUND(-0.4)", "0"),
        ("ROUND(1.005, 2)", "1.01"),
        ("ROUND(1250, -2)", "1300"),
        ("ROUND(1.5, 3)", "1.500"),
        ("TRUNC(-2.79, 1)", "-2.7"),
        ("TRUNC(1299, -2)", "1200"),
        ("CEIL(-0.5)", "0"),
        ("CEIL(1.01)", "2"),
        ("FLOOR(-1.01)", "-2"),
        ("SIGN(-0.01)", "-1"),
        ("SIGN(0.00)", "0"),
        ("ABS(-1234567890123456789012345678901234.5)", "1234567890123456789012345678901234.5"),
        ("MOD(7.5, 2)", "1.5"),
        ("ROUND('NaN'::numeric, 2)", "NaN"),
        ("CEIL('Infinity'::numeric)", "Infinity"),
    ],
)
def test_of_numeric(text: str, expected: str) -> None:
    assert format(value_of(text), "f") == expected
    assert type_of(text) is SqlType.NUMERIC


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ROUND(f)", 2.0),
        ("CEIL(f)", 3.0),
        ("FLOOR(f)", 2.0),
        ("TRUNC(- f)", -2.0),
        ("SIGN(- f)", -1.0),
        ("ABS(- f)", 2.5),
        ("ROUND(7)", 7.0),
        ("CEIL(n)", 4.0),
    ],
)
def test_of_double_and_of_integers_to_double(text: str, expected: float) -> None:
    assert value_of(text, f=2.5, n=4) == expected
    assert type_of(text) is SqlType.DOUBLE


def test_a_double_keeps_the_sign_of_its_zero() -> None:
    assert math.copysign(1, value_of("CEIL(f)", f=-0.5)) == -1
    assert value_of("SIGN(f)", f=math.nan) == 0.0
    assert value_of("ROUND(f)", f=math.inf) == math.inf


def test_integers_stay_so_under_abs_and_mod() -> None:
    assert value_of("ABS(n)", n=-4) == 4
    assert type_of("ABS(n)") is SqlType.INTEGER
    assert value_of("MOD(n, 5)", n=-7) == -2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ROUND(f, 2)", "round to digits takes a numeric"),
        ("ROUND(q, n)", "the digits of round are a number written out, up to 1000"),
        ("ROUND(q, 1001)", "the digits of round are a number written out, up to 1000"),
        ("ABS('5')", "abs takes a number, not a text literal"),
        ("CEIL(t)", "ceil takes a number, not text"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    assert refusal_of(text).message == message


def test_digits_may_be_negative() -> None:
    assert value_of("ROUND(q, -1)", q=Decimal(15)) == 20
