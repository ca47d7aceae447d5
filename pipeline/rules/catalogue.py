"""The catalogue's word on the tables that rules name: six queries, however many tables."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import msgspec
from psycopg.rows import dict_row

from pipeline.postgres.queries import load
from stages.rules.facts import KEPT_BY_CONNECT, Catalogue, Kind, TableFacts
from stages.rules.model import Column, Connector, Reference

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg

    _Name = tuple[str, str]
    _Row = dict[str, Any]

_KINDS: Final[dict[str, Kind]] = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
}


def introspect(connection: psycopg.Connection, named: Iterable[tuple[str, str]]) -> Catalogue:
    """What the database has of the (schema, table) pairs named, and all names beside them."""
    wanted = sorted(set(named))
    parameters = {"schemas": [schema for schema, _ in wanted], "names": [name for _, name in wanted]}
    columns, indexes, references = (
        _grouped(connection, query, parameters) for query in ("columns", "unique_indexes", "references")
    )
    rows = _rows(connection, "tables", parameters)
    found = {(row["schema"], row["name"]): row for row in rows}
    return Catalogue(
        tuple(name for (name,) in connection.execute(load("catalogue")["schemas"])),
        _names(connection, parameters),
        {name: _facts(row, columns[name], indexes[name], references[name]) for name, row in found.items()},
    )


def _names(connection: psycopg.Connection, parameters: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for schema, table in connection.execute(load("catalogue")["table_names"], parameters):
        names[schema] = (*names.get(schema, ()), table)
    return names


def _facts(row: _Row, columns: list[_Row], indexes: list[_Row], references: list[_Row]) -> TableFacts:
    names = {column["name"] for column in columns}
    is_mapping = "sfid" in names and ("_hc_lastop" in names or row["in_mapped_schema"])
    connector: Connector = "heroku-connect" if is_mapping else "plain"
    kept = KEPT_BY_CONNECT if is_mapping else frozenset()
    return TableFacts(
        schema=row["schema"],
        name=row["name"],
        kind=_KINDS[row["kind"]],
        connector=connector,
        columns=tuple(_column(column, kept) for column in columns),
        primary_key=next((tuple(index["columns"]) for index in indexes if index["is_primary"]), ()),
        unique=tuple(tuple(index["columns"]) for index in indexes if index["is_usable"]),
        references=tuple(
            Reference(
                one["name"],
                tuple(one["columns"]),
                one["to_schema"],
                one["to_table"],
                tuple(one["to_columns"]),
            )
            for one in references
        ),
        read_only=is_mapping and ("_hc_lastop" not in names or row["logged_as_read_only"]),
    )


def _column(row: _Row, kept: frozenset[str]) -> Column:
    column = msgspec.convert({key: row[key] for key in Column.__struct_fields__}, Column)
    return msgspec.structs.replace(column, writable=False) if column.name in kept else column


def _grouped(
    connection: psycopg.Connection, query: str, parameters: dict[str, list[str]]
) -> defaultdict[_Name, list[_Row]]:
    grouped: defaultdict[_Name, list[_Row]] = defaultdict(list)
    for row in _rows(connection, query, parameters):
        grouped[row["schema"], row["table_name"]].append(row)
    return grouped


def _rows(connection: psycopg.Connection, query: str, parameters: dict[str, list[str]]) -> list[_Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(load("catalogue")[query], parameters).fetchall()
