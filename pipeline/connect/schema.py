"""What Heroku Connect creates in a database: the logs, the mapped tables, their indexes and triggers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from psycopg import sql

from pipeline.connect.table import statements

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    from pipeline.connect.org import SalesforceOrg
    from pipeline.connect.table import Table


def install(connection: psycopg.Connection, schema: str, tables: Sequence[Table], org: SalesforceOrg) -> None:
    """Create what is missing, and bring triggers and columns up to date with the mappings."""
    queries = statements("install")
    parts = {"schema": sql.Identifier(schema), "channel": sql.Literal(f"{schema}.hc_trigger_log")}
    connection.execute(queries["one_at_a_time"])
    for name in ("shared", "logs", "notify", "recapture"):
        connection.execute(sql.SQL(queries[name]).format(**parts))
    details = {"organization_id": org.org_id, "name": org.name}
    connection.execute(
        sql.SQL(queries["describe_org"]).format(**parts),
        {"org_id": org.org_id, "details": msgspec.json.encode(details).decode()},
    )
    for table in tables:
        _install_table(connection, table)


def _install_table(connection: psycopg.Connection, table: Table) -> None:
    _execute(connection, table, "create")
    for column, column_type in table.all_columns.items():
        # The types are ours, from a fixed list and with whole numbers in them.
        parts = {"column": sql.Identifier(column), "column_type": sql.SQL(column_type)}
        _execute(connection, table, "extend", **parts)
    for column, unique in _indexed(table).items():
        index = f"{'hcu' if unique else 'hc'}_idx_{table.name}_{column}"
        names = {"index": sql.Identifier(index), "column": sql.Identifier(column)}
        _execute(connection, table, "unique_index" if unique else "index", **names)
    state = sql.Literal("READONLY" if table.mapping.read_only else "NEW")
    sequence = sql.Literal(sql.Identifier(table.schema, "_trigger_log_id_seq").as_string())
    _execute(connection, table, "capture", state=state, sequence=sequence)
    _execute(connection, table, "status" if table.mapping.bookkeeping else "no_status")


def _indexed(table: Table) -> dict[str, bool]:
    """The columns with an index, and whether it is unique."""
    indexed = {field.column: True for field in table.mapping.mapped if field.is_unique}
    indexed["sfid"] = True
    if "systemmodstamp" in table.columns:
        indexed["systemmodstamp"] = False
    return indexed


def _execute(connection: psycopg.Connection, table: Table, name: str, **parts: Any) -> None:
    names = {
        "schema": table.schema,
        "table": table.name,
        "logger": f"hc_{table.name}_logger",
        "logtrigger": f"hc_{table.name}_logtrigger",
        "status": f"hc_{table.name}_status",
        "status_trigger": f"hc_{table.name}_status_trigger",
    }
    identifiers = {key: sql.Identifier(value) for key, value in names.items()}
    connection.execute(sql.SQL(statements("mapping")[name]).format(**identifiers, **parts))
