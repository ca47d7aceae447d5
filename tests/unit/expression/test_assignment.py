"""Assignment casts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from stages.expression import (
    EvaluationError,
    SqlType,
    assign_literal,
    assignment,
    assignment_of,
    compile_expression,
    unchanged,
)
from tests.unit.expression.evaluation import COLUMNS

MOMENT = datetime(2024, 1, 2, tzinfo=UTC)
TEXTS = ("text", "character varying(5)", "character(3)", "citext")


@pytest.mark.parametrize(
    ("source", "target"),
    [
        *((SqlType.TEXT, target) for target in TEXTS),
        (SqlType.BOOLEAN, "boolean"),
        (SqlType.INTEGER, "smallint"),
        (SqlType.INTEGER, "numeric(5,2)"),
        (SqlType.INTEGER, "double precision"),
        (SqlType.NUMERIC, "numeric(12,2)"),
        (SqlType.NUMERIC, "double precision"),
        (SqlType.DOUBLE, "double precision"),
        (SqlType.DATE, "date"),
        (SqlType.TIMESTAMP, "timestamp(3) without time zone"),
        (SqlType.TIMESTAMPTZ, "timestamp with time zone"),
        (SqlType.OTHER, "jsonb"),
    ],
)
def test_what_goes_as_it_is(source: SqlType, target: str) -> None:
    assert assignment(source, target) is unchanged


@pytest.mark.parametrize(
    ("source", "target", "value", "expected"),
    [
        (SqlType.NUMERIC, "integer", Decimal("2.5"), 3),
        (SqlType.DOUBLE, "bigint", 2.5, 2),
        (SqlType.DOUBLE, "numeric(12,2)", 0.1 + 0.2, Decimal("0.3")),
        (SqlType.DOUBLE, "real", 0.1, 0.10000000149011612),
        (SqlType.BOOLEAN, "text", True, "true"),
        (SqlType.INTEGER, "character varying(5)", 12, "12"),
        (SqlType.NUMERIC, "text", Decimal("1E-7"), "0.0000001"),
        (SqlType.DOUBLE, "text", 1e15, "1e+15"),
        (SqlType.DATE, "text", date(2024, 1, 2), "2024-01-02"),
        (SqlType.DATE, "timestamp without time zone", date(2024, 1, 2), datetime.fromisoformat("2024-01-02")),
        (SqlType.DATE, "timestamp with time zone", date(2024, 1, 2), datetime(2024, 1, 2, tzinfo=UTC)),
        (SqlType.TIMESTAMP, "date", datetime.fromisoformat("2024-01-02T23:00"), date(2024, 1, 2)),
        (SqlType.TIMESTAMPTZ, "timestamp without time zone", MOMENT, MOMENT.replace(tzinfo=None)),
    ],
)
def test_what_is_converted(source: SqlType, target: str, value: Any, expected: object) -> None:
    convert = assignment(source, target)
    assert convert is not None
    assert convert is not unchanged
    assert convert(value) == expected
    assert convert(None) is None


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (SqlType.TEXT, "integer"),
        (SqlType.TEXT, "boolean"),
        (SqlType.TEXT, "jsonb"),
        (SqlType.TEXT, "date"),
        (SqlType.BOOLEAN, "integer"),
        (SqlType.INTEGER, "boolean"),
        (SqlType.INTEGER, "date"),
        (SqlType.NUMERIC, "boolean"),
        (SqlType.DATE, "integer"),
        (SqlType.TIMESTAMP, "uuid"),
        (SqlType.OTHER, "text"),
        (SqlType.OTHER, "integer"),
    ],
)
def test_what_has_no_assignment_cast(source: SqlType, target: str) -> None:
    assert assignment(source, target) is None


@pytest.mark.parametrize(
    ("source", "target", "value", "state"),
    [
        (SqlType.NUMERIC, "smallint", Decimal(40_000), "22003"),
        (SqlType.NUMERIC, "integer", Decimal("NaN"), "0A000"),
        (SqlType.DOUBLE, "real", 1e300, "22003"),
        (SqlType.DOUBLE, "real", 1e-300, "22003"),
    ],
)
def test_what_does_not_fit(source: SqlType, target: str, value: Any, state: str) -> None:
    convert = assignment(source, target)
    assert convert is not None
    with pytest.raises(EvaluationError) as caught:
        convert(value)
    assert caught.value.sqlstate == state


def test_a_column_of_another_type_goes_where_its_json_says_the_same() -> None:
    assert assignment(SqlType.OTHER, "uuid", "uuid") is unchanged
    assert assignment(SqlType.OTHER, "uuid", "jsonb") is None
    assert assignment(SqlType.OTHER, "text", "uuid") is unchanged
    assert assignment(SqlType.OTHER, "text", "integer[]") is None
    unpadded = assignment(SqlType.OTHER, "text", "character(5)")
    assert unpadded is not None
    assert unpadded(msgspec.Raw(b'"ab   "')) == "ab"
    assert unpadded("ab   ") == "ab"
    assert unpadded(None) is None


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("abc", "character varying(3)", "abc"),
        ("abc  ", "character varying(3)", "abc  "),
        ("5", "smallint", 5),
        ("1.255", "numeric(5,2)", Decimal("1.26")),
        ("0.1", "double precision", 0.1),
        ("yes", "boolean", True),
        ("2024-01-02", "date", date(2024, 1, 2)),
        ('{"a": 1}', "jsonb", msgspec.Raw(b'{"a": 1}')),
        ("6f1c", "uuid", "6f1c"),
    ],
)
def test_a_literal_takes_the_type_of_the_column(text: str, target: str, expected: object) -> None:
    assert assign_literal(text, target) == expected


@pytest.mark.parametrize(
    ("text", "target", "state"),
    [
        ("abcd", "character varying(3)", "22001"),
        ("many", "integer", "22P02"),
        ("40000", "smallint", "22003"),
        ("1000", "numeric(5,2)", "22003"),
        ("{", "json", "22P02"),
        ("soon", "date", "22007"),
    ],
)
def test_an_invalid_literal_is_an_error(text: str, target: str, state: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        assign_literal(text, target)
    assert caught.value.sqlstate == state


def test_null_goes_into_any_column_and_an_expression_by_its_type() -> None:
    null = assignment_of(compile_expression("NULL", COLUMNS), "integer")
    assert null is not None
    assert null(None) is None
    literal = assignment_of(compile_expression("'7'", COLUMNS), "integer")
    assert literal is not None
    assert literal("7") == 7
    assert assignment_of(compile_expression("t", COLUMNS), "integer") is None
    assert assignment_of(compile_expression("n", COLUMNS), "integer") is unchanged
