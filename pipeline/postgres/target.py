"""The target database: a batch's writes, its ledger rows, its letters and the partitions' progress, in one
transaction under the fence. A batch that a record spoils is split until that record stands alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import psycopg

from pipeline.batch import Item, advances
from pipeline.postgres import statements
from pipeline.postgres.faults import Fault, fault_of
from pipeline.postgres.queries import load
from stages.apply import Effect, Plan, Record, plan_writes
from stages.passage import Passage, encode
from stages.reject import Cause, Reject

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stages.apply import Statement
    from stages.rules.compile import CompiledRules

_NONE: Final[frozenset[tuple[int, int]]] = frozenset()


class LeaseLost(Exception):
    """Raised when a partition of the batch is no longer ours; nothing of the batch was done."""


class _Repeated(Exception):
    """Raised when the ledger holds some of the writes already."""


class Applied(msgspec.Struct):
    """What one batch came to."""

    written: dict[int, int] = {}  # rule -> writes
    duplicates: dict[int, int] = {}  # rule -> writes that the ledger held already
    rejects: list[Reject] = []

    def add(self, plan: Plan, repeated: Iterable[tuple[int, int]]) -> None:
        """Count one committed transaction; `repeated` are the (change, rule) it left out."""
        for entry in plan.ledger:
            self.written[entry.rule_id] = self.written.get(entry.rule_id, 0) + 1
        for _, rule in repeated:
            self.duplicates[rule] = self.duplicates.get(rule, 0) + 1
        self.rejects += plan.rejects


class Target:
    """Applies batches on one connection, as one lease holder."""

    def __init__(self, connection: psycopg.Connection, holder: str) -> None:
        self._connection = connection
        self._holder = holder
        self._queries = load("apply")

    def apply(self, items: Sequence[Item], rules: CompiledRules, terms: Mapping[int, int]) -> Applied:
        """Apply items that one rule set decides, in their order; `terms` are the leases' by partition.

        Raises LeaseLost, and psycopg.Error for an outage or a bug: then the batch, or what is left of it, is
        to be tried again.
        """
        applied = Applied()
        self._apply(items, rules, terms, applied)
        return applied

    def _apply(
        self, items: Sequence[Item], rules: CompiledRules, terms: Mapping[int, int], applied: Applied
    ) -> None:
        try:
            self._attempt(items, rules, terms, applied)
        except psycopg.Error as error:
            if fault_of(error) is not Fault.DATA:
                raise
            if len(items) > 1:
                half = len(items) // 2
                self._apply(items[:half], rules, terms, applied)
                self._apply(items[half:], rules, terms, applied)
            else:
                self._refuse(items[0], error, rules, terms, applied)

    def _refuse(
        self,
        item: Item,
        error: psycopg.Error,
        rules: CompiledRules,
        terms: Mapping[int, int],
        applied: Applied,
    ) -> None:
        try:
            self._attempt([_refused(item, error, rules)], rules, terms, applied)
        except psycopg.Error as second:
            if fault_of(second) is not Fault.DATA:
                raise
            # Not even a letter can name it: no change of ours. What it held is kept as text.
            self._attempt([_unreadable(item, second)], rules, terms, applied)

    def _attempt(
        self, items: Sequence[Item], rules: CompiledRules, terms: Mapping[int, int], applied: Applied
    ) -> None:
        passages = [item.passage for item in items if item.passage is not None]
        plan = plan_writes(passages, rules, applied=_NONE)
        repeated = _NONE
        try:
            self._transact(plan, items, terms)
        except _Repeated:
            repeated = self._recorded(plan)
            plan = plan_writes(passages, rules, applied=repeated)
            self._transact(plan, items, terms)
        applied.add(plan, repeated)

    def _transact(self, plan: Plan, items: Sequence[Item], terms: Mapping[int, int]) -> None:
        with self._connection.transaction():
            self._advance(items, terms)
            self._record(plan)
            path = ""
            for statement in plan.statements:
                wanted = ",".join(statement.path)
                if wanted != path:
                    self._connection.execute(self._queries["set_path"], {"path": wanted})
                    path = wanted
                self._execute(statement)
            self._write_letters(plan.rejects)

    def _advance(self, items: Sequence[Item], terms: Mapping[int, int]) -> None:
        moves = advances(items)
        done = self._connection.execute(
            load("lease")["advance"],
            {
                "holder": self._holder,
                "partitions": [move.partition for move in moves],
                "terms": [terms[move.partition] for move in moves],
                "ticks": [move.tick for move in moves],
                "ordinals": [move.ordinal for move in moves],
                "captured_at": [move.captured_at for move in moves],
            },
        )
        if done.rowcount != len(moves):
            raise LeaseLost("a partition of the batch has a later holder")

    def _record(self, plan: Plan) -> None:
        if not plan.ledger:
            return
        done = self._connection.execute(
            self._queries["record_writes"],
            {
                "changes": _array(entry.change_id for entry in plan.ledger),
                "rules": _array(entry.rule_id for entry in plan.ledger),
                "versions": _array(entry.rule_version for entry in plan.ledger),
            },
        )
        if done.rowcount != len(plan.ledger):
            raise _Repeated

    def _recorded(self, plan: Plan) -> frozenset[tuple[int, int]]:
        rows = self._connection.execute(
            self._queries["recorded_writes"],
            {
                "changes": _array(entry.change_id for entry in plan.ledger),
                "rules": _array(entry.rule_id for entry in plan.ledger),
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

    def _write_letters(self, rejects: Sequence[Reject]) -> None:
        if not rejects:
            return
        letters = {(r.change_id, r.rule, r.payload): r for r in rejects}
        rows = [{**msgspec.structs.asdict(r), "source_table": r.table} for r in letters.values()]
        encoded = msgspec.json.encode(rows).decode()
        self._connection.execute(self._queries["write_letters"], {"letters": encoded})


def _array(numbers: Iterable[int]) -> str:
    """A Postgres array as text: the driver takes several times as long over a list."""
    return "{" + ",".join(map(str, numbers)) + "}"


def _refused(item: Item, error: psycopg.Error, rules: CompiledRules) -> Item:
    """The item with its writes turned into rejects: Postgres refused them."""
    passage = item.passage
    if passage is None or passage.change is None:
        raise error
    change = passage.change
    rejects = tuple(
        Reject(
            change_id=change.id,
            table=f"{change.schema}.{change.table}",
            key=change.key,
            cause=Cause.SCHEMA if (error.sqlstate or "").startswith("42") else Cause.REFUSED,
            message=_message(error),
            rule=rules.by_id[write.rule].rule.name,
            rule_version=rules.by_id[write.rule].rule.version,
            sqlstate=error.sqlstate,
        )
        for write in passage.writes
    )
    if not rejects:
        raise error
    refused = msgspec.structs.replace(passage, writes=(), rejects=(*passage.rejects, *rejects))
    return Item(item.partition, item.id, item.order, refused)


def _unreadable(item: Item, error: psycopg.Error) -> Item:
    payload = None if item.passage is None else encode(item.passage).decode("ascii", "backslashreplace")
    fault = Reject(
        change_id=None,
        table=f"partition {item.partition}",
        cause=Cause.UNREADABLE,
        message=f"the entry holds what Postgres cannot: {_message(error)}",
        payload=payload,
    )
    return Item(item.partition, item.id, item.order, Passage(0, rejects=(fault,)))


def _message(error: psycopg.Error) -> str:
    diagnostic = error.diag
    where = ", ".join(
        f"{what} {name}"
        for what, name in (
            ("table", diagnostic.table_name),
            ("column", diagnostic.column_name),
            ("constraint", diagnostic.constraint_name),
        )
        if name
    )
    message = diagnostic.message_primary or str(error)
    return f"{message} ({where})" if where else message
