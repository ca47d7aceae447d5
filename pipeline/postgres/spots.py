"""Looking at the places where contested writes go: the rows that are there, locked, and their stamps.

The identifiers come from the catalogue and pass through the driver's composition; the types are
format_type()'s own text.
"""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec
from psycopg import sql

from stages.scene import Present, Row, Spot
from stages.stamp import Stamp, Stamps

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import psycopg

    from stages.rules.compile import CompiledRule
    from stages.rules.model import Table

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_ROW: Final = msgspec.json.Decoder(Row, float_hook=Decimal)
_STAMPS: Final = msgspec.json.Decoder(Stamps)
_STAMP: Final = msgspec.json.Decoder(Stamp)
_NUMBER: Final = "orgstream_n"
_NAME: Final = "orgstream_name"


def look(connection: psycopg.Connection, rule: CompiledRule, spots: Sequence[Spot]) -> list[Present]:
    """What is at these spots of one rule's target, locked until the transaction ends, in their order.

    A row that is written meanwhile is waited for. Its stamps are read after that, so that they are the row's.
    """
    found = [Present() for _ in spots]
    stamp_key = rule.contest.stamp_key if rule.contest is not None else ()
    keys = [dict(zip(rule.key_columns, spot.key, strict=True)) for spot in spots]
    numbered: list[dict[str, Any]] = [{**key, _NUMBER: n} for n, key in enumerate(keys)]
    rows = connection.execute(
        _rows(rule.target, rule.key_columns),
        {"records": _encoded(numbered), "stamp_key": list(stamp_key or rule.key_columns)},
    ).fetchall()
    for number, row, name in rows:
        found[number].row, found[number].name = _ROW.decode(row), name
    if stamp_key:
        named = [{**one, _NAME: found[n].name} for n, one in enumerate(numbered)]
        _read_stamps(connection, rule, stamp_key, named, found)
    else:
        for present in found:
            present.name = None
    return found


def _read_stamps(
    connection: psycopg.Connection,
    rule: CompiledRule,
    stamp_key: tuple[str, ...],
    named: list[dict[str, Any]],
    found: list[Present],
) -> None:
    name = rule.target.name
    stamped = connection.execute(
        _stamps(rule.target, rule.key_columns, stamp_key),
        {
            "records": _encoded(named),
            "stamp_key": list(stamp_key),
            "schema": name.schema,
            "table": name.name,
        },
    ).fetchall()
    for number, key, stamps, deleted in stamped:
        present = found[number]
        present.name = key
        if stamps is not None:
            present.stamps = _STAMPS.decode(stamps)
        if deleted is not None and present.row is None:
            present.deleted = _STAMP.decode(deleted)


def _encoded(records: object) -> str:
    return _ENCODER.encode(records).decode()


@functools.lru_cache(maxsize=256)
def _rows(target: Table, keys: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(
        "SELECT r.{number}, row_to_json(t)::text,"
        " orgstream.identity_of(row_to_json(t), %(stamp_key)s::text[])::text"
        " FROM {records} INNER JOIN {table} AS t ON {same} ORDER BY {order} FOR NO KEY UPDATE OF t"
    ).format(
        number=sql.Identifier(_NUMBER),
        records=_records(target, keys, ((_NUMBER, "integer"),)),
        table=sql.Identifier(target.name.schema, target.name.name),
        same=sql.SQL(" AND ").join(
            sql.SQL("t.{name} = r.{name}").format(name=sql.Identifier(key)) for key in keys
        ),
        order=sql.SQL(", ").join(sql.SQL("r.{}").format(sql.Identifier(key)) for key in keys),
    )


@functools.lru_cache(maxsize=256)
def _stamps(target: Table, keys: tuple[str, ...], stamp_key: tuple[str, ...]) -> sql.Composed:
    """Where no row is there, the rule's own key tells the name of the stamps, if it has the same columns."""
    name: sql.Composable = sql.Identifier("r", _NAME)
    if set(keys) == set(stamp_key):
        members = sql.SQL(", ").join(
            sql.SQL("{}, r.{}").format(sql.Literal(key), sql.Identifier(key)) for key in stamp_key
        )
        given = sql.SQL("orgstream.identity_of(json_build_object({}), %(stamp_key)s::text[])::text").format(
            members
        )
        name = sql.SQL("coalesce({}, {})").format(name, given)
    return sql.SQL(
        "SELECT r.{number}, {name}, s.stamps::text, s.deleted::text FROM {records}"
        " LEFT JOIN orgstream.record_stamp AS s"
        " ON s.table_schema = %(schema)s AND s.table_name = %(table)s AND s.key = {name}"
    ).format(
        number=sql.Identifier(_NUMBER),
        name=name,
        records=_records(target, keys, ((_NUMBER, "integer"), (_NAME, "text"))),
    )


def _records(target: Table, keys: Iterable[str], more: Iterable[tuple[str, str]]) -> sql.Composed:
    types = {column.name: column.type for column in target.columns}
    defined = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type_))  # format_type()'s text is SQL already
        for name, type_ in (*((key, types[key]) for key in keys), *more)
    ]
    return sql.SQL("json_to_recordset(%(records)s::json) AS r ({})").format(sql.SQL(", ").join(defined))
