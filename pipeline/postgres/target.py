"""The target database: a batch's writes, its ledger rows, its letters and the partitions' progress, in one
transaction under the fence. A batch that a record spoils is split until that record stands alone.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.applied import Applied
from pipeline.batch import Item, partitions_of
from pipeline.postgres.aside import Aside
from pipeline.postgres.attempts import Attempts
from pipeline.postgres.circuits import Circuits
from pipeline.postgres.fences import Fence, Fences
from pipeline.postgres.holds import StaleHolds
from pipeline.postgres.knowledge import edit
from pipeline.postgres.put_back import is_overtaken, put_back
from pipeline.postgres.queries import load
from pipeline.postgres.rounds import settle
from pipeline.postgres.writer import Repeated, Writer
from stages.apply import plan_writes
from stages.breaker import Breaker
from stages.need import Need
from stages.omit import Omitted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import psycopg

    from pipeline.carry import Waiting
    from pipeline.postgres.altered import AlteredTables
    from pipeline.postgres.deletes import DeleteGuard
    from pipeline.postgres.echoes import Echoes
    from pipeline.postgres.holds import KnownHolds
    from pipeline.postgres.knowledge import Knowledge, Steps
    from pipeline.postgres.pace import Pace
    from pipeline.postgres.waits import Ended, Kept, WaitTable
    from stages.apply import LedgerEntry, Plan
    from stages.hold import Holds
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules

Writes = frozenset[tuple[int, int]]  # (change, rule)
_NONE: Final[Writes] = frozenset()


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
        waits: WaitTable,
        echoes: Echoes,
        guard: DeleteGuard,
        altered: AlteredTables,
    ) -> None:
        """`hold_on` renews the leases in the middle of what takes long; `steps` are asked before planning."""
        self._connection = connection
        self._fences = Fences(connection, holder)
        self._writer = Writer(connection)
        self._holds = holds
        self._circuits = Circuits(holds, Breaker(breaker))
        self._pace = pace
        self._hold_on = hold_on
        self._steps = steps
        self._waits = waits
        self._aside = Aside(connection, holds, waits)
        self._echoes = echoes
        self._guard = guard
        self._altered = altered

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
        return self._in_parts(items, rules, Fence(terms, self._fences.advance, self._holds.begin))

    def release(self, items: Sequence[Item], rules: CompiledRules, terms: Mapping[int, int]) -> Applied:
        """Apply changes that were held while their rule was paused, like any others but for the positions.

        Raises like `apply`, and RulePaused where the rule does not fit its tables.
        """
        fence = Fence(terms, self._fences.unhold, self._holds.without_pauses, heeds_pauses=False)
        return self._in_parts(items, rules, fence)

    def go_on(self, ended: Ended, rules: CompiledRules, partition: int, term: int) -> None:
        """Apply changes that waited, and what is held behind them; what has to wait still waits on.

        Raises LeaseLost, StaleWaits and psycopg.Error, also where the data are at fault: nothing was done.
        """
        kept: dict[Waiting, Kept] = {}

        def take_out(_: Sequence[Item], terms: Mapping[int, int]) -> int:
            self._fences.confirm(partition, terms[partition])
            kept.clear()
            kept.update(self._waits.end(ended.ids, ended.changes))
            return self._holds.raise_epoch() - 1

        self._hold_on()
        holds = partial(self._holds.without_letters, frozenset(ended.ids))
        fence = Fence({partition: term}, take_out, holds, frozenset({Need.PARENTS}), kept)
        self._do(ended.items, rules, fence, Applied())
        self._holds.reload()

    def confirm(self, partition: int, term: int) -> None:
        """Keep a lease ours to the end of the transaction. Raises LeaseLost."""
        self._fences.confirm(partition, term)

    def _in_parts(self, items: Sequence[Item], rules: CompiledRules, fence: Fence) -> Applied:
        applied = Applied()
        attempts = Attempts(
            lambda part, fence: self._do(part, rules, fence, applied),
            lambda one, fence: self._attempt([one], rules, fence, keep=False),
            self._hold_on,
            self._altered,
        )
        self._pace.run(items, lambda part: attempts.run(part, rules, fence))
        return applied

    def _do(self, items: Sequence[Item], rules: CompiledRules, fence: Fence, applied: Applied) -> None:
        plan, repeated = self._attempt(items, rules, fence)
        if (plan.blocks and self._holds.concerned(plan)) or fence.kept:
            self._holds.reload()
        applied.add(plan, repeated)
        self._circuits.count(plan, rules)

    def _attempt(
        self, items: Sequence[Item], rules: CompiledRules, fence: Fence, *, keep: bool = True
    ) -> tuple[Plan, Writes]:
        """Do it; what was done, and what the ledger held already."""
        repeated = _NONE
        while True:
            try:
                return self._transact(items, rules, fence, repeated, keep=keep), repeated
            except Repeated as error:
                repeated |= self._writer.recorded(error.plan)
            except StaleHolds:
                self._holds.reload()

    def _transact(
        self, items: Sequence[Item], rules: CompiledRules, fence: Fence, repeated: Writes, *, keep: bool
    ) -> Plan:
        """One transaction, or a trial of it. The plan is made before, unless the target is asked first."""
        batch = [item.passage for item in items if item.passage is not None]
        steps = self._steps.of(rules, fence.needs)
        ask = bool(steps) or self._guard.concerns(batch)
        ahead = None if ask else plan_writes(batch, rules, fence.holds(items), applied=repeated)
        with self._connection.transaction(force_rollback=not keep):
            self._holds.require(fence.pass_(items, fence.terms))
            if ahead is not None:
                plan = ahead
                self._write(plan, rules)
            else:
                plan = self._ask(items, rules, fence, repeated, steps)
            if rules.echoes:
                self._echoes.remember(items)
            partitions = partitions_of(items) if plan.held or plan.rejects or plan.waits else {}
            self._aside.write(plan, partitions, fence.kept)
            if not keep:
                self._connection.execute(load("apply")["check_now"])
        return plan

    def _ask(
        self,
        items: Sequence[Item],
        rules: CompiledRules,
        fence: Fence,
        repeated: Writes,
        steps: Sequence[Knowledge],
    ) -> Plan:
        """Carry out a batch that cannot be planned without asking; what was done."""
        batch = [item.passage for item in items if item.passage is not None]
        guarded = self._guard.edit(batch, rules, fence.holds(items), repeated, partitions_of(items))

        def holds() -> Holds:
            return guarded.hold(fence.holds(items))

        def carry_out(passages: Sequence[Passage], done: tuple[LedgerEntry, ...] = ()) -> Plan:
            edited = edit(steps, passages, rules, lambda: Omitted(holds(), repeated))
            plan = plan_writes(edited.passages, rules, holds(), applied=repeated)
            plan = msgspec.structs.replace(plan, ledger=plan.ledger + done)
            edited.prepare(plan)
            self._write(plan, rules)
            edited.remember(plan)
            return msgspec.structs.replace(plan, conflicts=edited.conflicts) if edited.conflicts else plan

        if rules.echoes and is_overtaken(self._connection, rules):  # the steps see what is put back
            plan = plan_writes(guarded.passages, rules, holds(), applied=repeated)
            put_back(self._connection, self._writer, plan, rules)
        plan = carry_out(guarded.passages, guarded.done)
        if plan.waits:
            self._writer.require_new(plan)
            plan = settle(plan, guarded.passages, rules, carry_out, self._writer.execute)
        guarded.remember(plan)
        return plan

    def _write(self, plan: Plan, rules: CompiledRules) -> None:
        if rules.echoes:
            put_back(self._connection, self._writer, plan, rules)
        self._writer.write(plan)
