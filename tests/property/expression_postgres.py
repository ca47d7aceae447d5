"""Postgres as the oracle of expressions: a table of sample rows, and what expressions come to over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, LiteralString

import msgspec
import psycopg

from stages.expression import SqlType
from stages.expression.values.text_output import WRITERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLUMNS: Final = {
    "t1": SqlType.TEXT,
    "t2": SqlType.TEXT,
    "b1": SqlType.BOOLEAN,
    "b2": SqlType.BOOLEAN,
    "n1": SqlType.INTEGER,
    "n2": SqlType.INTEGER,
    "q1": SqlType.NUMERIC,
    "q2": SqlType.NUMERIC,
    "f1": SqlType.DOUBLE,
    "f2": SqlType.DOUBLE,
    "d1": SqlType.DATE,
    "d2": SqlType.DATE,
    "s1": SqlType.TIMESTAMP,
    "s2": SqlType.TIMESTAMP,
    "z1": SqlType.TIMESTAMPTZ,
    "z2": SqlType.TIMESTAMPTZ,
}

# A collation by code point whose upper() and lower() know all letters.
_DATABASE_17: Final = """
    CREATE DATABASE expression_oracle TEMPLATE template0 ENCODING 'UTF8'
    LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"""
_DATABASE_15: Final = """
    CREATE DATABASE expression_oracle TEMPLATE template0 ENCODING 'UTF8'
    LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"""

_SET_UP: Final = """
    SET TimeZone = 'UTC';
    SET jit = off;
    CREATE TEMP TABLE sample (
        i int PRIMARY KEY, t1 text, t2 varchar, b1 boolean, b2 boolean, n1 bigint, n2 bigint,
        q1 numeric, q2 numeric, f1 double precision, f2 double precision, d1 date, d2 date,
        s1 timestamp, s2 timestamp, z1 timestamptz, z2 timestamptz
    );
    CREATE FUNCTION pg_temp.outcomes(expression text)
    RETURNS TABLE (i int, value text, type text, state text) LANGUAGE plpgsql AS $$
    DECLARE
        statement text := format(
            'SELECT i, (%1$s)::text, pg_typeof(%1$s)::text, NULL FROM sample', expression
        );
        number int;
    BEGIN
        BEGIN
            RETURN QUERY EXECUTE statement;
            RETURN;
        EXCEPTION WHEN OTHERS THEN  -- one row failed, or all do: each by itself then
            NULL;
        END;
        FOR number IN SELECT sample.i FROM sample LOOP
            BEGIN
                RETURN QUERY EXECUTE statement || ' WHERE i = ' || number;
            EXCEPTION WHEN OTHERS THEN
                RETURN QUERY SELECT number, NULL, NULL, SQLSTATE;
            END;
        END LOOP;
    END $$"""

_FILL: Final = "INSERT INTO sample SELECT * FROM json_populate_recordset(NULL::sample, %s::json)"
_ASK: Final = """
    SELECT asked.number::int - 1, outcome.i, outcome.value, outcome.type, outcome.state
    FROM unnest(%s::text[]) WITH ORDINALITY AS asked (expression, number),
        pg_temp.outcomes(asked.expression) AS outcome"""


class Outcome(msgspec.Struct, frozen=True):
    """What an expression came to for one row: a value as text with its type, or an SQLSTATE."""

    value: str | None = None
    type: str | None = None
    state: str | None = None


class Oracle:
    """A session with its own sample table."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute(_SET_UP)

    def close(self) -> None:
        """End the session."""
        self._connection.close()

    def fill(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Make `rows` the sample."""
        self._connection.execute("TRUNCATE sample")
        documents = [
            {"i": i, **{name: written(name, row[name]) for name in row}} for i, row in enumerate(rows)
        ]
        self._connection.execute(_FILL, [msgspec.json.encode(documents).decode()])

    def outcomes(self, expressions: Sequence[str]) -> dict[tuple[int, int], Outcome]:
        """The outcome of each expression for each row, by their numbers."""
        found = self._connection.execute(_ASK, [list(expressions)]).fetchall()
        return {(number, i): Outcome(value, type_, state) for number, i, value, type_, state in found}


def written(column: str, value: Any) -> str | None:
    """A sample's value as the text that Postgres reads."""
    return None if value is None else WRITERS[COLUMNS[column]](value)


def create_database(url: str) -> str:
    """Make the oracle's database on the server of `url`; its name."""
    with psycopg.connect(url, autocommit=True) as connection:
        statement: LiteralString = _DATABASE_17 if connection.info.server_version >= 170_000 else _DATABASE_15
        connection.execute("DROP DATABASE IF EXISTS expression_oracle")
        connection.execute(statement)
    return "expression_oracle"
