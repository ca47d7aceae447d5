"""A value assigned here and sent as JSON arrives as Postgres's own assignment cast stores it."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, Final

import msgspec
import psycopg
import pytest
from psycopg import sql

from stages.expression import EvaluationError, SqlType, assignment
from stages.expression.values.text_output import WRITERS
from tests.property.expression_rows import PREFIXES, row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TARGETS: Final = (
    *("text", "character varying(7)", "character(5)", "boolean", "smallint", "integer", "bigint"),
    *("numeric", "numeric(9,2)", "double precision", "real", "date", "timestamp without time zone"),
    *("timestamp(3) without time zone", "timestamp with time zone", "jsonb", "uuid"),
)
_ROWS: Final = 60
_PAIRS: Final = list(itertools.product(PREFIXES, TARGETS))


_BY_CAST: Final = sql.SQL("INSERT INTO stored SELECT %s::text::{source} RETURNING value::text")
_BY_JSON: Final = sql.SQL(
    "INSERT INTO stored SELECT value FROM json_to_recordset(%s::json) AS sent (value {target})"
    " RETURNING value::text"
)
_TABLE: Final = sql.SQL("CREATE TEMP TABLE stored (value {target})")


@pytest.fixture
def connection(oracle_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(oracle_url, options="-c TimeZone=UTC", autocommit=True) as opened:
        yield opened


@pytest.mark.parametrize(("source", "target"), _PAIRS, ids=map(str, _PAIRS))
def test_an_assigned_value_is_stored_as_postgres_stores_it(
    connection: psycopg.Connection, source: SqlType, target: str
) -> None:
    connection.execute(_TABLE.format(target=sql.SQL(target)))
    values = [row(seed)[f"{PREFIXES[source]}1"] for seed in range(_ROWS)]
    by_cast = _BY_CAST.format(source=sql.SQL(source.value))
    convert = assignment(source, target)
    if convert is None:
        assert stored(connection, by_cast, None) == "error 42804"
        return
    by_json = _BY_JSON.format(target=sql.SQL(target))
    for value in values:
        text = None if value is None else WRITERS[source](value)
        assert sent(connection, by_json, convert, value) == stored(connection, by_cast, text)


def sent(
    connection: psycopg.Connection, by_json: sql.Composed, convert: Callable[[Any], Any], value: Any
) -> str | None:
    try:
        document = [{"value": sendable(convert(value))}]
    except EvaluationError as error:
        return f"error {error.sqlstate}"
    return stored(connection, by_json, msgspec.json.encode(document).decode())


def sendable(value: Any) -> Any:
    """JSON has no NaN and no infinity: Postgres reads them from their texts."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def stored(connection: psycopg.Connection, statement: sql.Composed, value: str | None) -> str | None:
    """What the statement stores, as text, or its error."""
    try:
        found = connection.execute(statement, [value]).fetchone()
    except psycopg.Error as error:
        return f"error {error.sqlstate}"
    return None if found is None or found[0] is None else str(found[0])
