"""What a plan would change in the target tables as they are now, without changing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import psycopg

    from stages.apply import Plan
    from stages.rules.model import Table

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_NUMBER: Final = "orgstream_n"
_AS_TEXT: Final = frozenset({"json", "xml", "point", "polygon", "hstore"})  # types without equality


class Effect(msgspec.Struct, frozen=True):
    """What would become of one target row: insert, update, delete, rename or same."""

    what: str
    key: dict[str, Any]
    columns: list[str]  # that would change


class _Wanted(msgspec.Struct):
    """What a plan does to a row in the end."""

    key: tuple[Any, ...]
    old_key: tuple[Any, ...] | None = None
    deleted: bool = False
    inserts: bool = False
    values: dict[str, Any] = {}


def preview(connection: psycopg.Connection, plan: Plan) -> list[Effect]:
    """The effects of a plan of one rule, a row at a time. Raises psycopg.Error."""
    if not plan.statements:
        return []
    rule = plan.statements[0].rule
    groups: dict[tuple[str, ...], list[_Wanted]] = {}
    for wanted in _wanted(plan):
        groups.setdefault(tuple(n for n in wanted.values if n not in rule.key_columns), []).append(wanted)
    return [
        effect
        for columns, rows in groups.items()
        for effect in _compared(connection, rule.target, rule.key_columns, columns, rows)
    ]


def _wanted(plan: Plan) -> Iterator[_Wanted]:
    wanted: dict[tuple[Any, ...], _Wanted] = {}
    seen: set[int] = set()
    for statement in plan.statements:
        for record in statement.records:
            if id(record) in seen:  # it takes part in several statements
                continue
            seen.add(id(record))
            one = wanted.get(record.key)
            if record.old_key is not None:
                before = wanted.pop(record.old_key, None)
                one = before or one or _Wanted(record.key)
                one.old_key = record.old_key if before is None else before.old_key or before.key
                one.key = record.key
            one = one or _Wanted(record.key)
            wanted[record.key] = one
            if record.delete:
                one.deleted, one.inserts, one.values = True, False, {}
            if record.insert or record.upsert:
                one.inserts = True
            one.values = {**one.values, **record.insert, **record.update}
    yield from wanted.values()


def _compared(
    connection: psycopg.Connection,
    target: Table,
    keys: tuple[str, ...],
    columns: tuple[str, ...],
    rows: Sequence[_Wanted],
) -> Iterator[Effect]:
    documents = [
        {
            **dict(zip(keys, row.old_key or row.key, strict=True)),
            **{name: row.values[name] for name in columns},
            _NUMBER: number,
        }
        for number, row in enumerate(rows)
    ]
    found = connection.execute(
        _compose(target, keys, columns), {"records": _ENCODER.encode(documents).decode()}
    ).fetchall()
    for number, there, changed in found:
        row = rows[number]
        yield Effect(_what(row, changed, there=there), dict(zip(keys, row.key, strict=True)), changed)


def _what(row: _Wanted, changed: Sequence[str], *, there: bool) -> str:
    if not there:
        return "insert" if row.inserts else "same"
    if row.deleted and not row.inserts:
        return "delete"
    if row.old_key is not None and row.old_key != row.key:
        return "rename"
    return "update" if changed else "same"


def _compose(target: Table, keys: Sequence[str], columns: Sequence[str]) -> sql.Composed:
    types = {column.name: column.type for column in target.columns}
    # The types are format_type()'s text, which is SQL already.
    defined = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(types[name])) for name in (*keys, *columns)
    ]
    differing = [
        sql.SQL("CASE WHEN t.{name}{cast} IS DISTINCT FROM r.{name}{cast} THEN {text} END").format(
            name=sql.Identifier(name),
            cast=sql.SQL("::text" if types[name] in _AS_TEXT else ""),
            text=sql.Literal(name),
        )
        for name in columns
    ]
    return sql.SQL(
        "SELECT r.{number}, t.{first} IS NOT NULL, array_remove(ARRAY[{differing}]::text[], NULL)"
        " FROM json_to_recordset(%(records)s::json) AS r ({number} integer, {defined})"
        " LEFT JOIN {table} AS t ON {same} ORDER BY r.{number}"
    ).format(
        number=sql.Identifier(_NUMBER),
        first=sql.Identifier(keys[0]),
        differing=sql.SQL(", ").join(differing),
        defined=sql.SQL(", ").join(defined),
        table=sql.Identifier(target.name.schema, target.name.name),
        same=sql.SQL(" AND ").join(sql.SQL("t.{n} = r.{n}").format(n=sql.Identifier(n)) for n in keys),
    )
