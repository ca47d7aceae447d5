"""The SQL of the apply statements: one statement writes all records of a group, given as one JSON array.

The identifiers come from the catalogue and pass through the driver's composition; the types are
format_type()'s own text.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, LiteralString

import msgspec
from psycopg import sql

from stages.fold import Effect, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stages.layers import Statement
    from stages.rules.model import Table

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_WITHOUT_EQUALITY: Final = frozenset({"json", "xml", "point", "polygon", "hstore"})
_UPSERT: Final = (
    Effect.UPSERT
)  # the members themselves: it takes as long to look one up as to call a function
_UPDATE: Final = Effect.UPDATE
_NUMBER: Final = "orgstream_n"  # the record's place in the array, where a statement has to name it


def compose(statement: Statement) -> sql.Composed:
    """The statement's SQL, with the parameter `records`."""
    return _compose(
        statement.effect,
        statement.rule.target,
        statement.rule.key_columns,
        statement.insert_columns,
        statement.update_columns,
    )


def compose_missing(statement: Statement) -> sql.Composed:
    """A query for the places of the records whose target row does not exist."""
    return _missing(statement.rule.target, statement.rule.key_columns)


def compose_comparison(target: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> sql.Composed:
    """A query for one record: whether its row is there, the row, the record, and which columns differ."""
    types = {column.name: column.type for column in target.columns}
    return sql.SQL(
        "SELECT t.{key} IS NOT NULL, row_to_json(t), row_to_json(r), ARRAY[{tests}]::boolean[] "
        "FROM {records} LEFT JOIN {table} AS t ON {same}"
    ).format(
        key=sql.Identifier(keys[0]),
        tests=sql.SQL(", ").join(_changes([name], types, "r") for name in columns),
        records=_records((name, types[name]) for name in (*keys, *columns)),
        table=sql.Identifier(target.name.schema, target.name.name),
        same=_same(keys, keys),
    )


def compose_overtaken(statement: Statement) -> sql.Composed:
    """A query for the records over which an older value came back.

    Their place, row, what is outstanding, and the name of their stamps where any are kept.
    """
    target, keys = statement.rule.target, statement.rule.key_columns
    types = {column.name: column.type for column in target.columns}
    return sql.SQL(
        "SELECT r.{number}, row_to_json(t)::text, a.columns::text, "
        "CASE WHEN s.key IS NOT NULL THEN orgstream.identity_of(row_to_json(t), s.key)::text END "
        "FROM {records} INNER JOIN {table} AS t ON {same} INNER JOIN orgstream.awaited_echo AS a "
        "ON a.overtaken AND a.table_schema = {schema} AND a.table_name = {name} "
        "AND a.key = orgstream.identity_of(row_to_json(t), {identity})::text "
        "LEFT JOIN orgstream.stamped_table AS s ON s.table_schema = {schema} AND s.table_name = {name}"
    ).format(
        number=sql.Identifier(_NUMBER),
        records=_records([*((name, types[name]) for name in keys), (_NUMBER, "integer")]),
        table=sql.Identifier(target.name.schema, target.name.name),
        same=_same(keys, keys),
        schema=sql.Literal(target.name.schema),
        name=sql.Literal(target.name.name),
        identity=sql.Literal(list(target.identity)),
    )


def encode(statement: Statement) -> str:
    """The records as the JSON that the statement reads."""
    keys = statement.rule.key_columns
    if statement.effect is _UPSERT and len(keys) == 1:  # by far the most frequent
        name = keys[0]
        rows = [_with(record.insert, name, record.key[0]) for record in statement.records]
    else:
        rows = [_row(statement.effect, record, keys) for record in statement.records]
    return _ENCODER.encode(rows).decode()


def encode_keys(statement: Statement) -> str:
    """The records' keys and places as the JSON that `compose_missing` reads."""
    keys = statement.rule.key_columns
    rows = [
        {**dict(zip(keys, record.key, strict=True)), _NUMBER: number}
        for number, record in enumerate(statement.records)
    ]
    return _ENCODER.encode(rows).decode()


def _with(values: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    values = values.copy()  # which takes a dict as it is, where {**values} may fill a new one
    values[name] = value
    return values


def _row(effect: Effect, record: Record, keys: Sequence[str]) -> dict[str, Any]:
    key = {keys[0]: record.key[0]} if len(keys) == 1 else dict(zip(keys, record.key, strict=True))
    if effect is _UPDATE:
        return {**record.update, **key}
    if effect is _UPSERT:
        return {**record.insert, **key}
    if effect is Effect.RENAME:
        return {**key, **{_old(number): value for number, value in enumerate(record.old_key or ())}}
    return key


@functools.lru_cache(maxsize=1024)
def _compose(
    effect: Effect, target: Table, keys: tuple[str, ...], inserted: tuple[str, ...], updated: tuple[str, ...]
) -> sql.Composed:
    types = {column.name: column.type for column in target.columns}
    inserted = tuple(name for name in inserted if name not in keys)
    updated = tuple(name for name in updated if name not in keys)
    parts: dict[str, sql.Composable] = {
        "table": sql.Identifier(target.name.schema, target.name.name),
        "same": _same(keys, keys),
    }
    if effect is Effect.DELETE:
        return sql.SQL("DELETE FROM {table} AS t USING {records} WHERE {same}").format(
            records=_records((name, types[name]) for name in keys), **parts
        )
    if effect is Effect.RENAME:
        old = tuple(_old(number) for number in range(len(keys)))
        defined = [(name, types[name]) for name in keys]
        defined += [(name, types[key]) for name, key in zip(old, keys, strict=True)]
        parts["same"] = _same(keys, old)
        return sql.SQL("UPDATE {table} AS t SET {sets} FROM {records} WHERE {same}").format(
            sets=_sets(keys, "r"), records=_records(defined), **parts
        )
    if effect is Effect.UPDATE:
        return sql.SQL("UPDATE {table} AS t SET {sets} FROM {records} WHERE {same} AND {changes}").format(
            sets=_sets(updated or keys, "r"),
            changes=_changes(updated or keys, types, "r"),
            records=_records((name, types[name]) for name in (*keys, *updated)),
            **parts,
        )
    columns = (*keys, *inserted)
    return upsert(target, keys, columns, updated, _records((name, types[name]) for name in columns))


def upsert(
    target: Table,
    keys: Sequence[str],
    columns: Sequence[str],
    updated: Iterable[str],
    records: sql.Composable,
) -> sql.Composed:
    """The upsert of `records` with these columns, of which those `updated` are set on a row that is there."""
    types = {column.name: column.type for column in target.columns}
    return sql.SQL(
        "INSERT INTO {table} AS t ({columns}) SELECT {columns} FROM {records} ON CONFLICT ({keys}) DO {over}"
    ).format(
        table=sql.Identifier(target.name.schema, target.name.name),
        columns=_list(columns),
        keys=_list(keys),
        records=records,
        over=_over(tuple(name for name in updated if name not in keys), types),
    )


@functools.lru_cache(maxsize=256)
def _missing(target: Table, keys: tuple[str, ...]) -> sql.Composed:
    types = {column.name: column.type for column in target.columns}
    defined = [*((name, types[name]) for name in keys), (_NUMBER, "integer")]
    return sql.SQL(
        "SELECT r.{number} FROM {records} WHERE NOT EXISTS (SELECT FROM {table} AS t WHERE {same})"
    ).format(
        number=sql.Identifier(_NUMBER),
        records=_records(defined),
        table=sql.Identifier(target.name.schema, target.name.name),
        same=_same(keys, keys),
    )


def _over(updated: tuple[str, ...], types: dict[str, str]) -> sql.Composable:
    if not updated:
        return sql.SQL("NOTHING")
    return sql.SQL("UPDATE SET {sets} WHERE {changes}").format(
        sets=_sets(updated, "excluded"), changes=_changes(updated, types, "excluded")
    )


def _records(columns: Iterable[tuple[str, str]]) -> sql.Composed:
    # The type is format_type()'s text, which is SQL already.
    defined = [sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(type_)) for name, type_ in columns]
    return sql.SQL("json_to_recordset(%(records)s::json) AS r ({})").format(sql.SQL(", ").join(defined))


def _list(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _sets(names: Iterable[str], source: LiteralString) -> sql.Composed:
    form = sql.SQL("{name} = {source}.{name}")
    return sql.SQL(", ").join(
        form.format(name=sql.Identifier(name), source=sql.SQL(source)) for name in names
    )


def _same(names: Sequence[str], others: Sequence[str]) -> sql.Composed:
    form = sql.SQL("t.{} = r.{}")
    pairs = zip(names, others, strict=True)
    return sql.SQL(" AND ").join(form.format(sql.Identifier(a), sql.Identifier(b)) for a, b in pairs)


def _changes(names: Iterable[str], types: dict[str, str], source: LiteralString) -> sql.Composed:
    """Whether any column would really change, so that no write is issued that changes nothing."""
    as_text = sql.SQL("t.{name}::text IS DISTINCT FROM {source}.{name}::text")
    plain = sql.SQL("t.{name} IS DISTINCT FROM {source}.{name}")
    tests = [
        (as_text if types[name] in _WITHOUT_EQUALITY else plain).format(
            name=sql.Identifier(name), source=sql.SQL(source)
        )
        for name in names
    ]
    return sql.SQL("({})").format(sql.SQL(" OR ").join(tests))


def _old(number: int) -> str:
    return f"orgstream_old_{number}"
