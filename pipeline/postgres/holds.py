"""What is held, as one worker knows it: read anew whenever the epoch in Postgres has moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.batch import partitions_of
from pipeline.postgres.delete_bursts import read_bursts
from pipeline.postgres.queries import load
from stages.hold import NOTHING_PAUSED, Block, Holds, Paused

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import psycopg

    from pipeline.batch import Item
    from stages.apply import Plan
    from stages.delete_burst import Burst
    from stages.reject import Reject
    from stages.wait import Wait

Letters = dict[tuple[int | None, str | None], int]  # (change, rule) -> letter


class StaleHolds(Exception):
    """Raised inside a transaction that was planned on an outdated view of what is held."""


class KnownHolds:
    """The blocks and pauses of all partitions; `epoch` tells how new the view is."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._queries = load("holds")
        self._blocks: dict[Block, int] = {}
        self._paused = NOTHING_PAUSED
        self.paused_for_tables: set[int] = set()  # the rules that do not fit their tables
        self._epoch = 0
        self.bursts: list[Burst] = []  # the records that wait behind them are looked up, there may be many
        self.bursting: dict[int, list[Burst]] = {}  # rule -> those of its bursts that wait
        self.waits = False  # whether any change waits for something

    def begin(self, items: Sequence[Item]) -> Holds:
        """What is held, for planning one transaction with these items."""
        return Holds(self._blocks, self._paused, partitions_of(items) if self._paused.any else None)

    def without_pauses(self, _: Sequence[Item]) -> Holds:
        """The same, for what was held by a pause and is released now."""
        return Holds(self._blocks)

    def without_letters(self, letters: frozenset[int], items: Sequence[Item]) -> Holds:
        """The same, for what was held behind some letters or waits and is tried again now."""
        blocks = {block: letter for block, letter in self._blocks.items() if letter not in letters}
        return Holds(blocks, self._paused, partitions_of(items) if self._paused.any else None)

    def require(self, epoch: int) -> None:
        """Raises StaleHolds when the view is older than `epoch`, which the transaction sees."""
        if epoch != self._epoch:
            raise StaleHolds

    def reload(self) -> None:
        """Read what is held, all of one snapshot."""
        with self._connection.transaction():
            self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            self._epoch = self._number("epoch")
            rows = self._connection.execute(self._queries["blocks"]).fetchall()
            paused = self._connection.execute(self._queries["paused"]).fetchall()
            self.bursts = read_bursts(self._connection)
            waits = self._connection.execute(load("waits")["any"]).fetchone()
        self.waits = bool(waits and waits[0])
        self.bursting = {}
        for burst in self.bursts:
            if burst.state == "open":
                self.bursting.setdefault(burst.rule, []).append(burst)
        self.paused_for_tables = {rule for rule, _, cause in paused if cause == "schema"}
        self._blocks = {Block(rule, table, key.encode()): letter for rule, table, key, letter in rows}
        self._paused = Paused(
            frozenset(rule for rule, partition, _ in paused if partition is None),
            frozenset((rule, partition) for rule, partition, _ in paused if partition is not None),
        )

    def record(self, plan: Plan, letters: Letters, partitions: Mapping[int, int]) -> None:
        """Write what the plan holds, in its transaction; `partitions` are the changes'."""
        if not (plan.held or plan.blocks):
            return

        def letter_of(behind: int | Reject | Wait | None) -> int | None:
            return (
                behind
                if behind is None or isinstance(behind, int)
                else letters[behind.change_id, behind.rule]
            )

        blocks = [
            {
                "rule_id": block.rule,
                "source_table": block.table,
                "key": block.key.decode(),
                "letter_id": letter_of(b),
            }
            for block, b in plan.blocks.items()
        ]
        held = [
            {
                "change_id": one.change_id,
                "rule_id": one.rule,
                "partition": partitions[one.change_id],
                "letter_id": letter_of(one.behind),
            }
            for one in {(one.change_id, one.rule): one for one in plan.held}.values()
        ]
        self.lock({one["letter_id"] for one in held if one["letter_id"] is not None})
        self._connection.execute(self._queries["block"], {"blocks": _encoded(blocks)})
        self._connection.execute(self._queries["hold"], {"held": _encoded(held)})
        if self.concerned(plan):  # others may meet these records under another key
            self.raise_epoch()

    def concerned(self, plan: Plan) -> bool:
        """Whether a committed plan changed what all workers have in memory."""
        letters = {burst.letter for of in self.bursting.values() for burst in of}
        return any(not isinstance(behind, int) or behind not in letters for behind in plan.blocks.values())

    def raise_epoch(self) -> int:
        """Have all workers look again, in the transaction of the change; the new number."""
        return self._number("raise_epoch")

    def settle(self, letter: int, resolution: str, behind: int | None) -> bool:
        """Close a letter, in a transaction; what waits behind it moves behind another.

        False, and nothing done, where something waits behind it and there is no other.
        """
        self._connection.execute(self._queries["lock_letter"], {"id": letter})
        waiting = self._connection.execute(self._queries["behind_letter"], {"id": letter, "rows": 1})
        if behind is None and waiting.rowcount:
            return False
        self._connection.execute(
            self._queries["settle"], {"id": letter, "resolution": resolution, "behind": behind}
        )
        self._number("raise_epoch")
        return True

    def resumed(self) -> None:
        """Nothing of a partition waits for paused rules any more: let live changes go on."""
        self._number("raise_epoch")
        self.reload()

    def pause(self, rule: int, reason: str, cause: str = "failures") -> None:
        """Pause a rule: from now on its changes are held. `cause` is failures or schema."""
        with self._connection.transaction():
            self._connection.execute(self._queries["pause"], {"rule": rule, "reason": reason, "cause": cause})
            self._number("raise_epoch")

    def lock(self, letters: Collection[int | None]) -> None:
        """Keep letters open until we have committed. Raises StaleHolds when one is settled already."""
        rows = self._connection.execute(self._queries["keep_open"], {"ids": list(letters)})
        if rows.rowcount != len(letters):
            raise StaleHolds

    def _number(self, query: str) -> int:
        row = self._connection.execute(self._queries[query]).fetchone()
        return int(row[0]) if row else 0


def _encoded(rows: object) -> str:
    return msgspec.json.encode(rows).decode()
