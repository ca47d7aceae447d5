"""Remembering what an apply transaction wrote to tables of Heroku Connect: the entries of its trigger log by
which Salesforce's answer will be found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psycopg import sql

from pipeline.postgres.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import psycopg

    from stages.apply import Plan
    from stages.layers import Statement

    Begun = Mapping[str, int]  # schema -> the newest entry of its log before we wrote


#: Heroku Connect goes over to bulk at so many changes of one kind and object that follow each other.
BULK: Final = 2_000


class Deliveries:
    """The memory of one connection's transactions. A plan without such tables costs nothing."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._queries = load("delivery")
        self._logged: dict[str, bool] = {}  # schema -> whether there is a log that we may read

    def begin(self, statements: Iterable[Statement]) -> Begun:
        """Before the statements of a plan: where each log stands. Raises psycopg.Error."""
        records: dict[str, int] = {}
        for statement in statements:
            if statement.rule.target.connector != "plain":
                schema = statement.rule.target.name.schema
                records[schema] = records.get(schema, 0) + len(statement.records)
        return {
            schema: self._number("newest_entry" if count < BULK else "newest_entry_alone", schema)
            for schema, count in sorted(records.items())
            if self._is_logged(schema)
        }

    def record(self, plan: Plan, begun: Begun) -> None:
        """After them, in the same transaction. Raises psycopg.Error."""
        if not begun:
            return
        changes = [entry.change_id for entry in plan.ledger]
        written = {
            "rules": sorted({entry.rule_id for entry in plan.ledger}),
            "first_change": min(changes, default=0),
            "last_change": max(changes, default=0),
        }
        for schema, newest in begun.items():
            names = {s.rule.target.name.name for s in plan.statements if s.rule.target.name.schema == schema}
            self._connection.execute(
                self._composed("remember", schema),
                {**written, "schema": schema, "tables": list(names), "after": newest},
            )

    def _is_logged(self, schema: str) -> bool:
        if schema not in self._logged:
            row = self._connection.execute(self._queries["logs"], {"schema": schema}).fetchone()
            self._logged[schema] = row == (True,)
        return self._logged[schema]

    def _number(self, query: str, schema: str) -> int:
        row = self._connection.execute(self._composed(query, schema), {"schema": schema}).fetchone()
        return int(row[0]) if row else 0

    def _composed(self, query: str, schema: str) -> sql.Composed:
        return sql.SQL(self._queries[query]).format(log=sql.Identifier(schema, "_trigger_log"))
