"""Settling dead letters: what waited behind them is applied, in order, under the lease of the partition.

What was asked for is final once the first transaction for it has committed: then the letter has a resolution.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pipeline.ports import LeaseLost
from pipeline.postgres.ask import AskedAnew, Refused
from pipeline.postgres.knowledge import edit
from pipeline.postgres.queries import load
from pipeline.postgres.rounds import settle
from pipeline.postgres.writer import Repeated, Writer, array
from stages.apply import plan_writes
from stages.hold import Holds
from stages.lookup import given_up
from stages.need import Need
from stages.omit import Omitted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import psycopg

    from pipeline.carry import Waiting
    from pipeline.postgres.ask import Ask, Lease
    from pipeline.postgres.holds import KnownHolds
    from pipeline.postgres.knowledge import Steps
    from stages.apply import Plan
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules


def _omitted(repeated: frozenset[tuple[int, int]]) -> Omitted:
    return Omitted(Holds({}), repeated)


def _require_none_refused(passages: Sequence[Passage]) -> None:
    """Raises Refused where a change cannot be applied for what the target holds."""
    for passage in passages:
        for reject in passage.rejects:
            raise Refused(reject)


def _require_none_waits(plan: Plan) -> None:
    """Raises Refused where a change would have to wait."""
    for wait in plan.waits:
        raise Refused(given_up(wait))


class LetterDesk:
    """The transactions that settle letters, on one worker's connection."""

    def __init__(self, connection: psycopg.Connection, holder: str, holds: KnownHolds, steps: Steps) -> None:
        self._connection = connection
        self._holder = holder
        self._holds = holds
        self._steps = steps
        self._writer = Writer(connection)
        self._queries = load("holds")

    def release(
        self,
        lease: Lease,
        ask: Ask,
        waiting: Sequence[Waiting],
        passages: Sequence[Passage],
        rules: CompiledRules,
    ) -> None:
        """Apply changes of a letter and let them wait no longer, in one transaction under the lease.

        Raises LeaseLost, AskedAnew, Refused, psycopg.Error.
        """
        repeated: frozenset[tuple[int, int]] = frozenset()
        while True:
            try:
                with self._connection.transaction():
                    self._confirm(lease)
                    self._begin(ask)
                    self._carry_out(passages, rules, repeated)
                    self._release(waiting)
            except Repeated as error:
                repeated |= self._writer.recorded(error.plan)
            else:
                return

    def _carry_out(
        self, batch: Sequence[Passage], rules: CompiledRules, repeated: frozenset[tuple[int, int]]
    ) -> None:
        """Write what the batch comes to. Raises Refused where anything of it fails, or would have to wait."""
        steps = self._steps.of(rules, frozenset({Need.PARENTS}))

        def carry_out(passages: Sequence[Passage]) -> Plan:
            edited = edit(steps, passages, rules, partial(_omitted, repeated))
            _require_none_refused(edited.passages)
            plan = plan_writes(edited.passages, rules, Holds({}), applied=repeated)
            edited.prepare(plan)
            self._writer.write(plan)
            edited.remember(plan)
            return plan

        plan = carry_out(batch)
        if plan.waits:
            plan = settle(plan, batch, rules, carry_out, self._writer.execute)
        _require_none_waits(plan)

    def _confirm(self, lease: Lease) -> None:
        fence = {"partition": lease.partition, "term": lease.term, "holder": self._holder}
        if self._connection.execute(self._queries["confirm"], fence).rowcount != 1:
            raise LeaseLost("the partition of a held change has a later holder")

    def _begin(self, ask: Ask) -> None:
        """From here on nobody can ask for something else. Raises AskedAnew where somebody just did."""
        if self._lock(ask) is None:
            self._connection.execute(self._queries["begin"], {"id": ask.letter, "resolution": ask.resolution})
            if ask.first:
                self._audit(ask, "applied", ask.reason)

    def _lock(self, ask: Ask) -> str | None:
        """Keep the letter as it is; its resolution, once it is being settled. Raises AskedAnew."""
        row = self._connection.execute(self._queries["lock_letter"], {"id": ask.letter}).fetchone()
        open_, how, edit, resolution = row or (False, None, None, None)
        if not open_ or (how, edit) != (ask.how, ask.edit):
            raise AskedAnew
        return None if resolution is None else str(resolution)

    def _release(self, waiting: Sequence[Waiting]) -> None:
        released = {
            "changes": array(change for change, _ in waiting),
            "rules": array(rule for _, rule in waiting),
        }
        self._connection.execute(self._queries["release"], released)

    def settle(self, ask: Ask) -> bool:
        """Close a letter that nothing waits behind; False, and nothing done, when something does."""
        with self._connection.transaction():
            self._begin(ask)
            settled = self._holds.settle(ask.letter, ask.resolution, None)
            if settled:
                self._audit(ask, "settled", ask.reason)
        self._holds.reload()
        return settled

    def write_again(self, lease: Lease, ask: Ask, again: Callable[[], None]) -> None:
        """Do `again` for a letter that stays open, in one transaction under the lease.

        Raises LeaseLost, AskedAnew, and what `again` raises.
        """
        with self._connection.transaction():
            self._confirm(lease)
            self._lock(ask)
            again()
            self._connection.execute(self._queries["done"], {"id": ask.letter})
            self._audit(ask, "applied", ask.reason)

    def execute(self, passages: Sequence[Passage], rules: CompiledRules) -> None:
        """Write changes that the ledger has already, in the transaction that is open.

        Raises Refused, psycopg.Error.
        """
        with_all = edit(self._steps.of(rules), passages, rules, partial(_omitted, frozenset()))
        _require_none_refused(with_all.passages)
        plan = plan_writes(with_all.passages, rules, Holds({}), applied=frozenset())
        _require_none_waits(plan)
        with_all.prepare(plan)
        self._writer.execute(plan)
        with_all.remember(plan)

    def forget(self, lease: Lease, waiting: Sequence[Waiting]) -> None:
        """Let changes wait no longer that turned out to have nothing to write."""
        self._connection.execute(
            self._queries["forget"],
            {
                "partition": lease.partition,
                "changes": array(change for change, _ in waiting),
                "rules": array(rule for _, rule in waiting),
            },
        )

    def resumed(self) -> None:
        """Nothing of a partition waits for paused rules any more."""
        self._holds.resumed()

    def failed_again(self, ask: Ask, refused: Refused) -> None:
        """Count another attempt at a letter that failed once more; it stays open, with nothing asked for."""
        with self._connection.transaction():
            self._lock(ask)
            self._connection.execute(self._queries["failed_again"], {"id": ask.letter, **refused.parameters})
            self._audit(ask, "refused", refused.reject.message)

    def replace(self, ask: Ask, failed: Waiting, refused: Refused) -> None:
        """Close a letter whose change went through, and open one for the change behind it that did not."""
        with self._connection.transaction():
            row = self._connection.execute(
                self._queries["letter_for_held"],
                {"letter": ask.letter, "change": failed[0], "rule": failed[1], **refused.parameters},
            ).fetchone()
            self._release([failed])
            self._holds.settle(ask.letter, ask.resolution, row[0] if row else None)
            self._audit(ask, "settled", ask.reason)
        self._holds.reload()

    def part(self, lease: Lease, ask: Ask, failed: Waiting, refused: Refused) -> None:
        """Take a change that failed out of a mass delete: it gets a letter of its own."""
        with self._connection.transaction():
            self._confirm(lease)
            self._begin(ask)
            row = self._connection.execute(
                self._queries["letter_for_held"],
                {"letter": ask.letter, "change": failed[0], "rule": failed[1], **refused.parameters},
            ).fetchone()
            self._connection.execute(
                load("deletes")["part"],
                {
                    "letter": ask.letter,
                    "change": failed[0],
                    "rule": failed[1],
                    "own": row[0] if row else None,
                },
            )
            self._release([failed])
            self._holds.raise_epoch()

    def settle_emptied(self, partitions: list[int]) -> None:
        """Close the mass deletes of these partitions of which every record came back."""
        rows = self._connection.execute(load("deletes")["emptied"], {"partitions": partitions}).fetchall()
        for (letter,) in rows:
            with self._connection.transaction():
                self._holds.settle(letter, "cancelled: every record came back", None)
        if rows:
            self._holds.reload()

    def _audit(self, ask: Ask, event: str, reason: str) -> None:
        self._connection.execute(
            self._queries["audit"],
            {"letter": ask.letter, "event": event, "how": ask.how, "reason": reason, "actor": self._holder},
        )
