"""Types from the catalogue's spelling, and what an expression says of itself."""

from __future__ import annotations

import pytest

from stages.expression import SqlType, compile_expression, sql_type
from stages.expression.types import modifiers, unmodified
from tests.unit.expression.evaluation import COLUMNS


@pytest.mark.parametrize(
    ("formatted", "expected"),
    [
        ("character varying(18)", SqlType.TEXT),
        ("character varying", SqlType.TEXT),
        ("text", SqlType.TEXT),
        ("boolean", SqlType.BOOLEAN),
        ("smallint", SqlType.INTEGER),
        ("integer", SqlType.INTEGER),
        ("bigint", SqlType.INTEGER),
        ("numeric(12,2)", SqlType.NUMERIC),
        ("numeric", SqlType.NUMERIC),
        ("double precision", SqlType.DOUBLE),
        ("date", SqlType.DATE),
        ("timestamp without time zone", SqlType.TIMESTAMP),
        ("timestamp(3) without time zone", SqlType.TIMESTAMP),
        ("timestamp with time zone", SqlType.TIMESTAMPTZ),
        ("real", SqlType.OTHER),
        ("character(3)", SqlType.OTHER),
        ("citext", SqlType.OTHER),
        ("text[]", SqlType.OTHER),
        ("numeric(12,2)[]", SqlType.OTHER),
        ("jsonb", SqlType.OTHER),
        ("interval", SqlType.OTHER),
    ],
)
def test_sql_type(formatted: str, expected: SqlType) -> None:
    assert sql_type(formatted) is expected


def test_modifiers() -> None:
    assert modifiers("numeric(12,2)") == (12, 2)
    assert modifiers("numeric(5,-2)") == (5, -2)
    assert modifiers("character varying(18)") == (18,)
    assert modifiers("text") == ()
    assert unmodified("timestamp(3) without time zone") == "timestamp without time zone"


def test_an_expression_says_what_it_reads_and_is() -> None:
    expression = compile_expression("CASE WHEN n > 1 THEN t ELSE NULL END", COLUMNS)
    assert expression.columns == {"n", "t"}
    assert (expression.type, expression.column, expression.literal) == (SqlType.TEXT, None, None)
    assert not expression.untyped


def test_a_bare_column_and_a_bare_literal_are_known_as_such() -> None:
    assert compile_expression("((t))", COLUMNS).column == "t"
    assert compile_expression("t || ''", COLUMNS).column is None
    assert compile_expression("('it''s')", COLUMNS).literal == "it's"
    assert compile_expression("'a'::text", COLUMNS).literal is None
    null = compile_expression("NULL", COLUMNS)
    assert (null.literal, null.untyped) == (None, True)


def test_a_column_stays_known_where_its_value_does_not_matter() -> None:
    assert compile_expression("n + NULL", COLUMNS).columns == {"n"}
