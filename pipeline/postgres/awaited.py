"""Whether rows are there that changes wait for: one query for each table and key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import psycopg
from psycopg import sql

from pipeline.postgres.faults import Fault, fault_of
from pipeline.postgres.queries import load

if TYPE_CHECKING:
    from collections.abc import Sequence

_NUMBER: Final = "orgstream_n"
_TAKE: Final = "orgstream_take"
_Awaited = tuple[Any, ...]  # the wait's number and partition; schema, table, key and column that it awaits


def present(connection: psycopg.Connection, awaited: Sequence[_Awaited]) -> set[int]:
    """The numbers of the waits whose row is there; of those, too, for whose table that cannot be told.

    Raises psycopg.Error for an outage.
    """
    places: dict[tuple[str, str, tuple[str, ...]], list[dict[str, Any]]] = {}
    for number, _, schema, table, text, take in awaited:
        if text is not None:
            key = msgspec.json.decode(text)
            places.setdefault((schema, table, tuple(key)), []).append({_NUMBER: number, _TAKE: take, **key})
    found: set[int] = set()
    for (schema, table, columns), rows in places.items():
        try:
            with connection.transaction():
                types = _types(connection, schema, table)
                query = _compose(schema, table, columns, types)
                there = connection.execute(query, {"keys": msgspec.json.encode(rows).decode()}).fetchall()
        except psycopg.Error as error:
            if fault_of(error) is not Fault.DATA:
                raise
            there = [(row[_NUMBER],) for row in rows]  # the release will tell what is wrong
        found.update(number for (number,) in there)
    return found


def _types(connection: psycopg.Connection, schema: str, table: str) -> dict[str, str]:
    rows = connection.execute(load("waits")["types"], {"schema": schema, "table": table}).fetchall()
    return dict(rows)


def _compose(schema: str, table: str, columns: Sequence[str], types: dict[str, str]) -> sql.Composed:
    # The types are format_type()'s text, which is SQL already.
    defined = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(types.get(name, "text"))) for name in columns
    ]
    return sql.SQL(load("waits")["present"]).format(
        defined=sql.SQL(", ").join(defined),
        table=sql.Identifier(schema, table),
        same=sql.SQL(" AND ").join(sql.SQL("t.{n} = r.{n}").format(n=sql.Identifier(n)) for n in columns),
    )
