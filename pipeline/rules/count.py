"""How many records a rule takes now: its `when`, pushed down into Postgres, within a time limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import psycopg
from psycopg import sql

from pipeline.postgres.queries import load
from stages.expression import to_sql

if TYPE_CHECKING:
    from stages.rules.model import Rule


class RecordCount(msgspec.Struct, frozen=True):
    """A number of records, or why it is not known."""

    records: int | None = None
    unknown: str | None = None

    def __str__(self) -> str:
        if self.records is None:
            return f"records unknown ({self.unknown})"
        return f"{self.records:,} record{'s' * (self.records != 1)}"


def count_records(connection: psycopg.Connection, rule: Rule, seconds: float) -> RecordCount:
    """Count the source records that meet the rule's `when` now; none for a rule that is switched off."""
    if not rule.enabled:
        return RecordCount(0)
    # What to_sql gives was parsed and written anew from the nodes that the rule language allows.
    condition = sql.SQL("true" if rule.when is None else to_sql(rule.when))
    table = sql.Identifier(rule.source.schema, rule.source.name)
    statement = sql.SQL(load("rules")["count_records"]).format(table=table, condition=condition)
    try:
        with connection.transaction():
            limit = {"timeout": f"{max(1, round(seconds * 1000))}ms"}
            connection.execute(load("rules")["limit_statement"], limit)
            row = connection.execute(statement).fetchone()
    except psycopg.errors.QueryCanceled:
        return RecordCount(unknown=f"took longer than {seconds:g} s")
    except psycopg.DatabaseError as error:
        if connection.broken:
            raise
        return RecordCount(unknown=str(error.diag.message_primary or error))
    return RecordCount(int(row[0]) if row else 0)
