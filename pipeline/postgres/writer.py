"""Executing a plan: its ledger rows and its statements, inside a transaction of the caller's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.postgres import statements
from pipeline.postgres.queries import load
from stages.fold import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg

    from stages.apply import Plan
    from stages.fold import Record
    from stages.layers import Statement


class Repeated(Exception):
    """Raised when the ledger holds some of a plan's writes already."""


class Writer:
    """Writes plans on one connection."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._queries = load("apply")

    def write(self, plan: Plan) -> None:
        """Record and execute a plan. Raises Repeated, psycopg.Error."""
        self._record(plan)
        self.execute(plan)

    def execute(self, plan: Plan) -> None:
        """Execute a plan that is recorded otherwise. Raises psycopg.Error."""
        path = ""
        for statement in plan.statements:
            wanted = ",".join(statement.path)
            if wanted != path:
                self._connection.execute(self._queries["set_path"], {"path": wanted})
                path = wanted
            self._execute(statement)

    def _record(self, plan: Plan) -> None:
        if not plan.ledger:
            return
        done = self._connection.execute(
            self._queries["record_writes"],
            {
                "changes": array(entry.change_id for entry in plan.ledger),
                "rules": array(entry.rule_id for entry in plan.ledger),
                "versions": array(entry.rule_version for entry in plan.ledger),
            },
        )
        if done.rowcount != len(plan.ledger):
            raise Repeated

    def recorded(self, plan: Plan) -> frozenset[tuple[int, int]]:
        """Which of a plan's writes the ledger holds, as (change, rule)."""
        rows = self._connection.execute(
            self._queries["recorded_writes"],
            {
                "changes": array(entry.change_id for entry in plan.ledger),
                "rules": array(entry.rule_id for entry in plan.ledger),
            },
        ).fetchall()
        return frozenset((change, rule) for change, rule in rows)

    def _execute(self, statement: Statement) -> None:
        done = self._connection.execute(
            statements.compose(statement), {"records": statements.encode(statement)}, prepare=True
        )
        insertable = statement.effect is Effect.UPDATE and statement.insert_columns
        if insertable and done.rowcount < len(statement.records):
            self._insert_missing(statement)

    def _insert_missing(self, statement: Statement) -> None:
        """Rows that an update did not find are inserted whole."""
        places = self._connection.execute(
            statements.compose_missing(statement), {"records": statements.encode_keys(statement)}
        ).fetchall()
        missing: list[Record] = [statement.records[place] for (place,) in places]
        if missing:
            whole = msgspec.structs.replace(statement, effect=Effect.UPSERT, records=missing)
            self._connection.execute(statements.compose(whole), {"records": statements.encode(whole)})


def array(numbers: Iterable[int]) -> str:
    """A Postgres array as text: the driver takes several times as long over a list."""
    return "{" + ",".join(map(str, numbers)) + "}"
