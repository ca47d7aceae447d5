"""Executing a plan: its ledger rows and its statements, inside a transaction of the caller's."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg

from pipeline.postgres import statements
from pipeline.postgres.columnar import columnar
from pipeline.postgres.deliveries import Deliveries
from pipeline.postgres.queries import load
from stages.fold import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stages.apply import Plan
    from stages.fold import Record
    from stages.layers import Statement


Cursor = psycopg.Cursor[Any]
Update = tuple["Statement", Cursor]


class Repeated(Exception):
    """Raised when the ledger holds some of a plan's writes already."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("the ledger holds some of these writes already")
        self.plan = plan


class Writer:
    """Writes plans on one connection."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._queries = load("apply")
        self._deliveries = Deliveries(connection)

    def write(self, plan: Plan) -> None:
        """Record and execute a plan. Raises Repeated, psycopg.Error."""
        if plan.ledger:
            self._record(plan)
        self.execute(plan)

    def put(self, statements: Sequence[Statement]) -> None:
        """Execute statements beside a plan. Raises psycopg.Error."""
        self._execute_layers(statements)

    def execute(self, plan: Plan) -> None:
        """Execute a plan that is recorded otherwise. Raises psycopg.Error."""
        begun = self._deliveries.begin(plan.statements)
        self._execute_layers(plan.statements)
        self._deliveries.record(plan, begun)

    def _execute_layers(self, plan: Sequence[Statement]) -> None:
        path = ""
        for _, layer in groupby(plan, key=attrgetter("layer")):
            updates: list[Update] = []
            for statement in layer:
                wanted = ",".join(statement.path)
                if wanted != path:
                    self._connection.execute(self._queries["set_path"], {"path": wanted})
                    path = wanted
                done = self._execute(statement)
                if statement.effect is Effect.UPDATE and statement.insert_columns:
                    updates.append((statement, done))
            self._insert_missing(updates)

    def _record(self, plan: Plan) -> None:
        """All of them are new, nearly always. Raises Repeated, psycopg.Error."""
        ledger = {
            "changes": array([entry.change_id for entry in plan.ledger]),
            "rules": array([entry.rule_id for entry in plan.ledger]),
            "versions": array([entry.rule_version for entry in plan.ledger]),
        }
        try:
            self._connection.execute(self._queries["record_writes"], ledger, prepare=True)
        except psycopg.errors.UniqueViolation as error:
            raise Repeated(plan) from error

    def require_new(self, plan: Plan) -> None:
        """Raises Repeated when the ledger holds what is going to wait."""
        if self._recorded([(wait.change_id, wait.rule_id) for wait in plan.waits]):
            raise Repeated(plan)

    def recorded(self, plan: Plan) -> frozenset[tuple[int, int]]:
        """Which of a plan's writes and waits the ledger holds, as (change, rule)."""
        names = [(entry.change_id, entry.rule_id) for entry in plan.ledger]
        return self._recorded([*names, *((wait.change_id, wait.rule_id) for wait in plan.waits)])

    def _recorded(self, names: Sequence[tuple[int, int]]) -> frozenset[tuple[int, int]]:
        rows = self._connection.execute(
            self._queries["recorded_writes"],
            {
                "changes": array([change for change, _ in names]),
                "rules": array([rule for _, rule in names]),
            },
        ).fetchall()
        return frozenset((change, rule) for change, rule in rows)

    def _execute(self, statement: Statement) -> Cursor:
        many = columnar(statement)
        if many is not None:
            return self._connection.execute(*many, prepare=True)
        return self._connection.execute(
            statements.compose(statement), {"records": statements.encode(statement)}, prepare=True
        )

    def _insert_missing(self, updates: Iterable[Update]) -> None:
        """Rows that an update did not find are inserted whole."""
        for statement, done in updates:
            if done.rowcount == len(statement.records):
                continue
            places = self._connection.execute(
                statements.compose_missing(statement), {"records": statements.encode_keys(statement)}
            ).fetchall()
            missing: list[Record] = [statement.records[place] for (place,) in places]
            if missing:
                whole = msgspec.structs.replace(statement, effect=Effect.UPSERT, records=missing)
                self._execute(whole)


def array(numbers: Iterable[int]) -> str:
    """A Postgres array as text: the driver takes many times as long over a list.

    But for its brackets it is a JSON array, and nothing makes those as quickly.
    """
    return "{" + msgspec.json.encode(list(numbers)).decode()[1:-1] + "}"
