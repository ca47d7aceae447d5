"""Rows over which Heroku Connect put an older value of ours, and that are to be written as they stand.

Such a write would change nothing, so Heroku Connect would send nothing, and the newer value, which is on its
way back, would win. So the newer value is put back first, and the write changes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.postgres import statements
from pipeline.postgres.queries import load
from stages.awaited import Record as Awaiting
from stages.awaited import Row, overtaken
from stages.fold import Effect, Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

    from pipeline.postgres.writer import Writer
    from stages.apply import Plan
    from stages.expression import SqlType
    from stages.layers import Statement
    from stages.rules.compile import CompiledRules

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_AWAITING: Final = msgspec.json.Decoder(Awaiting)
_ROW: Final = msgspec.json.Decoder(Row)
_WRITING: Final = (Effect.UPDATE, Effect.UPSERT)


def put_back(connection: psycopg.Connection, writer: Writer, plan: Plan, rules: CompiledRules) -> None:
    """Put newer values back where a plan needs it, in its transaction. Raises psycopg.Error."""
    asked: dict[tuple[str, str], bool] = {}
    for statement in plan.statements:
        name = statement.rule.target.name
        table = rules.tables.get((name.schema, name.name))
        if table is None or table.echoes is None or statement.effect not in _WRITING:
            continue
        if (name.schema, name.name) not in asked:
            asked[name.schema, name.name] = _is_overtaken(connection, name.schema, name.name)
        if asked[name.schema, name.name]:
            _put_back(connection, writer, statement, table.echoes)


def is_overtaken(connection: psycopg.Connection, rules: CompiledRules) -> bool:
    """Whether any row of these rules may have to get its newer value back. Raises psycopg.Error."""
    return any(
        _is_overtaken(connection, *name) for name, table in rules.tables.items() if table.echoes is not None
    )


def _is_overtaken(connection: psycopg.Connection, schema: str, table: str) -> bool:
    names = {"schema": schema, "table": table}
    row = connection.execute(load("echoes")["any_overtaken"], names).fetchone()
    return bool(row and row[0])


def _put_back(
    connection: psycopg.Connection, writer: Writer, statement: Statement, types: Mapping[str, SqlType]
) -> None:
    rows = connection.execute(
        statements.compose_overtaken(statement), {"records": statements.encode_keys(statement)}
    ).fetchall()
    groups: dict[tuple[str, ...], list[Record]] = {}
    stamped: list[dict[str, Any]] = []
    table = statement.rule.target.name
    for place, row, awaiting, name in rows:
        record = statement.records[place]
        known = _AWAITING.decode(awaiting)
        wanted = _json({name: value for name, value in record.update.items() if name in known})
        found = overtaken(known, _ROW.decode(row), wanted, types)
        if found:
            values = {column: version.value for column, version in found.items()}
            groups.setdefault(tuple(sorted(values)), []).append(Record(record.key, update=values))
        if name is not None:
            stamp = {"schema": table.schema, "table": table.name, "key": name}
            stamped += [{**stamp, "column": c, "change_id": v.change_id} for c, v in found.items()]
    if stamped:
        versions = _ENCODER.encode(stamped).decode()
        connection.execute(load("echoes")["stamps_put_back"], {"versions": versions})
    writer.put([_statement(statement, columns, records) for columns, records in groups.items()])


def _statement(statement: Statement, columns: tuple[str, ...], records: list[Record]) -> Statement:
    return msgspec.structs.replace(
        statement,
        effect=Effect.UPDATE,
        insert_columns=(),
        update_columns=columns,
        records=records,
        layer=0,
    )


def _json(values: Mapping[str, Any]) -> Row:
    return {name: msgspec.Raw(_ENCODER.encode(value)) for name, value in values.items()}
