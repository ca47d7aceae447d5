"""The stamps of contested tables: kept from when the rules need them until they do no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.postgres.queries import load
from stages.rules.capture import needed
from stages.rules.contest import Stamped, stamped_tables

if TYPE_CHECKING:
    import psycopg

    from stages.rules.model import RuleSet

_Name = tuple[str, str]  # schema, table


def put_stamps_right(connection: psycopg.Connection, rule_set: RuleSet) -> None:
    """Keep the stamps of the tables that the rule set needs them of, and of no others."""
    queries = load("rules")
    captured = {(table.schema, table.table) for table in needed(rule_set)}
    wanted = {(name.schema, name.name): stamped for name, stamped in stamped_tables(rule_set).items()}
    kept = _kept(connection)
    for schema, table in kept.keys() - wanted.keys():
        connection.execute(queries["forget_stamps"], {"schema": schema, "table": table})
    for name, stamped in sorted(wanted.items(), key=lambda item: item[0]):
        is_captured = name in captured
        if kept.get(name) == (stamped, is_captured):
            continue
        connection.execute(
            queries["keep_stamps"],
            {
                "schema": name[0],
                "table": name[1],
                "key": list(stamped.key),
                "columns": list(stamped.columns),
                "time": stamped.time,
                "is_captured": is_captured,
            },
        )


def _kept(connection: psycopg.Connection) -> dict[_Name, tuple[Stamped, bool]]:
    rows = connection.execute(load("rules")["stamped"])
    return {
        (schema, table): (Stamped(tuple(key), tuple(columns), time), has_trigger)
        for schema, table, key, columns, time, has_trigger in rows
    }
