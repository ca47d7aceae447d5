"""The target database: a batch's writes, its ledger rows, its letters and the partitions' progress, in one
transaction under the fence. A batch that a record spoils is split until that record stands alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import psycopg

from pipeline.applied import Applied
from pipeline.batch import Item, advances, partitions_of
from pipeline.log import get_logger
from pipeline.ports import LeaseLost
from pipeline.postgres.faults import Fault, fault_of
from pipeline.postgres.holds import StaleHolds
from pipeline.postgres.knowledge import Edited, edit
from pipeline.postgres.letter_table import write_letters
from pipeline.postgres.put_back import put_back
from pipeline.postgres.queries import load
from pipeline.postgres.refusal import halves, refused, unreadable
from pipeline.postgres.writer import Repeated, Writer, array
from stages.apply import plan_writes
from stages.breaker import Breaker
from stages.omit import Omitted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.postgres.deletes import DeleteGuard
    from pipeline.postgres.echoes import Echoes
    from pipeline.postgres.holds import KnownHolds
    from pipeline.postgres.knowledge import Steps
    from pipeline.postgres.pace import Pace
    from stages.apply import Plan
    from stages.hold import Holds
    from stages.rules.compile import CompiledRules

log = get_logger()
Check = Callable[[], int]  # once the answers are there: the epoch of what is held. Raises LeaseLost
_NONE: Final[frozenset[tuple[int, int]]] = frozenset()


class _Fence(NamedTuple):
    """What a transaction begins with, and what its plan goes by."""

    terms: Mapping[int, int]
    pass_: Callable[[Sequence[Item], Mapping[int, int]], Check]
    holds: Callable[[Sequence[Item]], Holds]


class Target:
    """Applies batches on one connection, as one lease holder."""

    def __init__(
        self,
        connection: psycopg.Connection,
        holder: str,
        holds: KnownHolds,
        *,
        breaker: int,
        pace: Pace,
        hold_on: Callable[[], None],
        steps: Steps,
        echoes: Echoes,
        guard: DeleteGuard,
    ) -> None:
        """`hold_on` renews the leases in the middle of what takes long; `steps` are asked before planning."""
        self._connection = connection
        self._holder = holder
        self._writer = Writer(connection)
        self._holds = holds
        self._breaker = Breaker(breaker)
        self._pace = pace
        self._hold_on = hold_on
        self._steps = steps
        self._echoes = echoes
        self._guard = guard

    def apply(
        self,
        items: Sequence[Item],
        rules: CompiledRules,
        terms: Mapping[int, int],
    ) -> Applied:
        """Apply items that one rule set decides, in their order; `terms` are the leases' by partition.

        Raises LeaseLost, and psycopg.Error for an outage or a bug: then the batch, or what is left of it, is
        to be tried again.
        """
        if rules.echoes:
            items = self._echoes.weigh(items, rules)
        return self._in_parts(items, rules, _Fence(terms, self._advance, self._holds.begin))

    def release(self, items: Sequence[Item], rules: CompiledRules, terms: Mapping[int, int]) -> Applied:
        """Apply changes that were held while their rule was paused, like any others but for the positions.

        Raises like `apply`.
        """
        return self._in_parts(items, rules, _Fence(terms, self._unhold, self._holds.without_pauses))

    def _in_parts(self, items: Sequence[Item], rules: CompiledRules, fence: _Fence) -> Applied:
        applied = Applied()
        self._pace.run(items, lambda part: self._apply(part, rules, fence, applied))
        return applied

    def _apply(self, items: Sequence[Item], rules: CompiledRules, fence: _Fence, applied: Applied) -> None:
        self._hold_on()
        try:
            self._attempt(items, rules, fence, applied)
        except psycopg.Error as error:
            if fault_of(error) is not Fault.DATA:
                raise
            parts = halves(items)
            if parts:
                for part in parts:
                    self._apply(part, rules, fence, applied)
            else:
                self._refuse(items[0], error, rules, fence, applied)

    def _refuse(
        self, item: Item, error: psycopg.Error, rules: CompiledRules, fence: _Fence, applied: Applied
    ) -> None:
        try:
            self._attempt([refused(item, error, rules)], rules, fence, applied)
        except psycopg.Error as second:
            if fault_of(second) is not Fault.DATA:
                raise
            # Not even a letter can name it: no change of ours. What it held is kept as text.
            self._attempt([unreadable(item, second)], rules, fence, applied)

    def _attempt(self, items: Sequence[Item], rules: CompiledRules, fence: _Fence, applied: Applied) -> None:
        repeated = _NONE
        while True:
            try:
                plan = self._transact(items, rules, fence, repeated)
            except Repeated as error:
                repeated |= self._writer.recorded(error.plan)
            except StaleHolds:
                self._holds.reload()
            else:
                break
        if plan.blocks and self._holds.concerned(plan):
            self._holds.reload()
        applied.add(plan, repeated)
        self._break_circuits(plan, rules)

    def _transact(
        self, items: Sequence[Item], rules: CompiledRules, fence: _Fence, repeated: frozenset[tuple[int, int]]
    ) -> Plan:
        """Do it; what was done. The plan is made before, unless the target has to be asked something."""
        passages = [item.passage for item in items if item.passage is not None]
        ask = bool(self._steps.of(rules)) or self._guard.concerns(passages)
        edited = Edited(passages)
        plan = None if ask else plan_writes(passages, rules, fence.holds(items), applied=repeated)
        with self._connection.transaction():
            fenced = fence.pass_(items, fence.terms)
            self._holds.require(fenced())
            if plan is None:
                plan, edited = self._ask(items, rules, fence, repeated)
            edited.prepare(plan)
            if rules.echoes:
                put_back(self._connection, self._writer, plan, rules)
            sent = self._writer.send(plan)
            self._writer.complete(plan, sent)
            edited.remember(plan)
            if rules.echoes:
                self._echoes.remember(items)
            partitions = partitions_of(items) if plan.held or plan.rejects else {}
            letters = write_letters(self._connection, plan.rejects, partitions)
            self._holds.record(plan, letters, partitions)
        return plan

    def _ask(
        self, items: Sequence[Item], rules: CompiledRules, fence: _Fence, repeated: frozenset[tuple[int, int]]
    ) -> tuple[Plan, Edited]:
        """The plan of a batch that cannot be planned without asking, and what is to be written beside it."""
        passages = [item.passage for item in items if item.passage is not None]
        guarded = self._guard.edit(passages, rules, fence.holds(items), repeated, partitions_of(items))

        def holds() -> Holds:
            return guarded.hold(fence.holds(items))

        steps = self._steps.of(rules)
        edited = edit(steps, guarded.passages, rules, lambda: Omitted(holds(), repeated))
        plan = plan_writes(edited.passages, rules, holds(), applied=repeated)

        def remember(plan: Plan) -> None:
            guarded.remember(plan)
            edited.remember(plan)

        whole = msgspec.structs.replace(plan, ledger=plan.ledger + guarded.done)
        return whole, edited._replace(remember=remember)

    def _advance(self, items: Sequence[Item], terms: Mapping[int, int]) -> Check:
        """Move the positions, under the fence."""
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

        def check() -> int:
            rows = done.fetchall()
            if len(rows) != len(moves):
                raise LeaseLost("a partition of the batch has a later holder")
            return int(rows[0][0])

        return check

    def _unhold(self, items: Sequence[Item], terms: Mapping[int, int]) -> Check:
        """Let the items wait no longer, under the fence."""
        confirm = load("holds")["confirm"]
        confirmed = [
            self._connection.execute(confirm, {"partition": p, "term": terms[p], "holder": self._holder})
            for p in {item.partition for item in items}
        ]
        self._connection.execute(load("holds")["unhold"], {"changes": array(partitions_of(items))})
        done = self._connection.execute(load("holds")["epoch"])

        def check() -> int:
            if any(one.rowcount != 1 for one in confirmed):
                raise LeaseLost("the partition of a held change has a later holder")
            row = done.fetchone()
            return int(row[0]) if row else 0

        return check

    def _break_circuits(self, plan: Plan, rules: CompiledRules) -> None:
        """Pause the rules that fail for record after record."""
        for rule_id, name in self._breaker.count(plan, rules):
            self._holds.pause(rule_id, f"failed for {self._breaker.limit(rule_id, rules)} records in a row")
            self._holds.reload()
            log.error(
                "a rule fails for every record and is paused; its changes are held",
                action="rule_paused",
                rule=name,
            )
