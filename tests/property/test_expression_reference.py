"""Every example of the reference gives, here and in Postgres, what it says."""

from __future__ import annotations

from typing import Final

import psycopg
import pytest
from psycopg import sql

from stages.expression import EvaluationError, compile_expression, to_sql
from stages.expression.syntax.signatures import SIGNATURES
from stages.expression.values.text_output import WRITERS
from tests.property.expression_reference import COLUMNS, EXAMPLES, REFERENCE, ROW, TEXTS, Example

_ASK: Final = sql.SQL("SELECT ({expression})::text FROM (SELECT {columns}) AS record")


def by_text(example: Example) -> str:
    return example.expression


def here(expression: str) -> str:
    compiled = compile_expression(expression, COLUMNS)
    try:
        value = compiled.evaluate(ROW)
    except EvaluationError as error:
        return f"error {error.sqlstate}"
    return "NULL" if value is None else WRITERS[compiled.type](value)


def in_postgres(url: str, expression: str) -> str:
    columns = [
        sql.SQL("{value}::{type} AS {name}").format(
            value=sql.Literal(text), type=sql.SQL(COLUMNS[name].value), name=sql.Identifier(name)
        )
        for name, text in TEXTS.items()
    ]
    asked = sql.SQL(to_sql(expression))
    with psycopg.connect(url, options="-c TimeZone=UTC") as connection:
        try:
            found = connection.execute(_ASK.format(expression=asked, columns=sql.SQL(", ").join(columns)))
        except psycopg.Error as error:
            return f"error {error.sqlstate}"
        row = found.fetchone()
    return "NULL" if row is None or row[0] is None else str(row[0])


@pytest.mark.parametrize("example", EXAMPLES, ids=by_text)
def test_an_example_gives_its_result_here(example: Example) -> None:
    assert here(example.expression) == example.result


@pytest.mark.parametrize("example", EXAMPLES, ids=by_text)
def test_an_example_gives_its_result_in_postgres(oracle_url: str, example: Example) -> None:
    assert in_postgres(oracle_url, example.expression) == example.result


def test_the_reference_has_an_example_of_every_function() -> None:
    named = " ".join(example.expression for example in EXAMPLES).lower()
    assert not [name for name in SIGNATURES if f"{name}(" not in named]


def test_the_reference_has_columns_of_every_computable_type() -> None:
    assert len(set(COLUMNS.values())) == 8
    assert len(EXAMPLES) > 100
    assert REFERENCE.exists()
