"""What is explained: the last change of a record, a record as it stands, or one that a person gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import psycopg
from psycopg import sql

from pipeline.errors import ConfigurationError, Failure
from pipeline.postgres.queries import load
from stages.change import Change, Operation
from stages.rules.suggest import did_you_mean
from stages.rules.trial import change_of

if TYPE_CHECKING:
    from stages.rules.model import Table

#: How long looking for the last change of a record may take, in seconds.
_SEARCH_SECONDS: Final = 5.0
_CHANGE_KEYS: Final = frozenset({"before", "after", "origin", "path"})


class Subject(msgspec.Struct, frozen=True):
    """The change that is explained, and in words what it is."""

    change: Change
    said: str


def by_key(connection: psycopg.Connection, table: Table, key: str) -> Subject:
    """The record that `key` names: a value of its identity, or a JSON object of columns.

    Raises ConfigurationError for a key that names no columns of the table or several records, and Failure
    where there is no such record and the queue has no change of it.
    """
    columns = _columns(table, key)
    names = [name for name in columns if columns[name] is not None]
    form = sql.SQL("s.{} = CAST({} AS {})")
    types = {column.name: column.type for column in table.columns}
    tests = [
        form.format(sql.Identifier(name), sql.Literal(_text(columns[name])), sql.SQL(types[name]))
        for name in names
    ] + [sql.SQL("s.{} IS NULL").format(sql.Identifier(name)) for name in columns if name not in names]
    where = sql.SQL(" AND ").join(tests)
    statement = sql.SQL(load("explain")["record"]).format(table=_name(table), sets=where)
    try:
        with connection.transaction():
            found = connection.execute(statement, {"identity": list(table.identity)}).fetchall()
    except psycopg.DataError as error:
        raise ConfigurationError(f"--key {key}: {error.diag.message_primary}.") from None
    if len(found) > 1:
        raise ConfigurationError(
            f"--key {key}: several records of {table.name} are meant. Name more columns."
        )
    identity = found[0][1] if found else _identity(connection, table, columns)
    last = _last_change(connection, table, identity) if identity else None
    if last is not None:
        return Subject(last, f"the last captured change of the record, {last.id}")
    if not found:
        raise Failure(
            f"{table.name} has no record {key}, and the queue no change of it. "
            "Name it by its identity, or by other columns as a JSON object."
        )
    change = change_of(table, None, msgspec.json.decode(found[0][0]))
    if identity:
        change = msgspec.structs.replace(change, key=msgspec.Raw(identity.encode()))
    return Subject(change, "the record as it stands, as if it were inserted now")


def by_document(connection: psycopg.Connection, table: Table, *, document: bytes, said: str) -> Subject:
    """The record, or change, that a person gives as JSON. Raises ConfigurationError for anything else."""
    try:
        given = msgspec.json.decode(document)
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"{said} is not JSON: {error}.") from None
    if not isinstance(given, dict):
        raise ConfigurationError(f"{said} must hold a JSON object: a record, or its `before` and `after`.")
    is_change = given.keys() <= _CHANGE_KEYS and given.keys() & {"before", "after"}
    rows: dict[str, Any] = given if is_change else {"after": given}
    for row in (rows.get("before"), rows.get("after")):
        _check_row(table, row, said)
    if rows.get("before") is None and rows.get("after") is None:
        raise ConfigurationError(f"{said}: one of `before` and `after` must be a record.")
    change = change_of(table, rows.get("before"), rows.get("after"))
    change = msgspec.structs.replace(
        change,
        key=_captured_key(connection, table, rows.get("after") or rows["before"]) or change.key,
        origin=str(rows.get("origin", change.origin)),
        path=tuple(map(str, rows.get("path", ()))),
    )
    return Subject(change, f"the {'change' if is_change else 'record, as if inserted,'} of {said}")


def _check_row(table: Table, row: Any, said: str) -> None:
    if row is None:
        return
    if not isinstance(row, dict):
        raise ConfigurationError(f"{said}: `before` and `after` must be JSON objects.")
    names = [column.name for column in table.columns]
    for name in row:
        if name not in names:
            advice = did_you_mean(name, names, limit=40)
            raise ConfigurationError(
                f"{said}: {table.name} has no column `{name}` ({advice or 'remove it'})."
            )


def _columns(table: Table, key: str) -> dict[str, Any]:
    names = [column.name for column in table.columns]
    if key.lstrip().startswith("{"):
        try:
            columns = msgspec.json.decode(key.encode(), type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise ConfigurationError(f"--key {key} is not a JSON object: {error}.") from None
        for name in columns:
            if name not in names:
                advice = did_you_mean(name, names, limit=40) or "name another"
                raise ConfigurationError(f"--key: {table.name} has no column `{name}` ({advice}).")
        if columns:
            return columns
    elif len(table.identity) == 1:
        return {table.identity[0]: key}
    example = msgspec.json.encode(dict.fromkeys(table.identity or names[:1], "…")).decode()
    raise ConfigurationError(
        f"--key {key}: name the record of {table.name} as a JSON object such as {example}."
    )


def _identity(connection: psycopg.Connection, table: Table, columns: dict[str, Any]) -> str | None:
    """The identity of a record that is gone, as capture wrote it."""
    if not set(table.identity) <= columns.keys() or not table.identity:
        return None
    statement = sql.SQL(load("explain")["identity"]).format(table=_name(table))
    record = msgspec.json.encode(columns).decode()
    row = connection.execute(statement, {"record": record, "identity": list(table.identity)}).fetchone()
    return None if row is None else str(row[0])


def _captured_key(connection: psycopg.Connection, table: Table, row: dict[str, Any]) -> msgspec.Raw | None:
    """The identity of a given record as capture would write it; None where the record fits no table."""
    try:
        with connection.transaction():
            key = _identity(connection, table, row)
    except psycopg.DataError:
        return None
    return None if key is None else msgspec.Raw(key.encode())


def _last_change(connection: psycopg.Connection, table: Table, key: str) -> Change | None:
    """The newest change of the record in the queue; None where there is none, or the queue is too large."""
    name = table.name
    try:
        with connection.transaction():
            limit = {"timeout": f"{_SEARCH_SECONDS * 1000:.0f}ms"}
            connection.execute(load("explain")["limit_statement"], limit)
            parameters = {"schema": name.schema, "table": name.name, "key": key}
            row = connection.execute(load("explain")["last_change"], parameters).fetchone()
    except psycopg.errors.QueryCanceled:
        return None
    if row is None:
        return None
    id_, operation, origin, captured_at, path, *documents = row
    key_, old_key, before, after = (msgspec.Raw(document.encode()) for document in documents)
    return Change(
        id=id_,
        schema=name.schema,
        table=name.name,
        operation=Operation(operation),
        origin=origin,
        captured_at=captured_at,
        key=key_,
        old_key=old_key,
        before=before,
        after=after,
        path=tuple(path),
    )


def _name(table: Table) -> sql.Identifier:
    return sql.Identifier(table.name.schema, table.name.name)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
