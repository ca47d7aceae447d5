"""The fences of an apply transaction: whether the leases are still ours, and what it begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipeline.batch import advances, partitions_of
from pipeline.ports import LeaseLost
from pipeline.postgres.altered import RulePaused
from pipeline.postgres.queries import load
from pipeline.postgres.waits import NOTHING_KEPT, Kept
from pipeline.postgres.writer import array

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import psycopg

    from pipeline.batch import Item
    from pipeline.carry import Waiting
    from stages.hold import Holds
    from stages.need import Need


class Fence(NamedTuple):
    """What a transaction begins with, and what its plan goes by."""

    terms: Mapping[int, int]
    pass_: Callable[[Sequence[Item], Mapping[int, int]], int]  # the epoch of what is held. Raises LeaseLost
    holds: Callable[[Sequence[Item]], Holds]
    needs: frozenset[Need] = frozenset()  # what is asked beside what the rules always need
    kept: Mapping[Waiting, Kept] = NOTHING_KEPT
    heeds_pauses: bool = True

    def require_heeded(self) -> None:
        """A rule of the batch was just paused. Raises RulePaused where its changes are being released."""
        if not self.heeds_pauses:
            raise RulePaused


class Fences:
    """Fences on one connection, of one lease holder."""

    def __init__(self, connection: psycopg.Connection, holder: str) -> None:
        self._connection = connection
        self._holder = holder

    def advance(self, items: Sequence[Item], terms: Mapping[int, int]) -> int:
        """Move the positions, under the fence; the epoch of what is held. Raises LeaseLost."""
        moves = advances(items)
        rows = self._connection.execute(
            load("lease")["advance"],
            {
                "holder": self._holder,
                "partitions": [move.partition for move in moves],
                "terms": [terms[move.partition] for move in moves],
                "ticks": [move.tick for move in moves],
                "ordinals": [move.ordinal for move in moves],
                "captured_at": [move.captured_at for move in moves],
            },
        ).fetchall()
        if len(rows) != len(moves):
            raise LeaseLost("a partition of the batch has a later holder")
        return int(rows[0][0])

    def unhold(self, items: Sequence[Item], terms: Mapping[int, int]) -> int:
        """Let the items wait no longer for a pause that is over; the epoch likewise. Raises LeaseLost."""
        for partition in {item.partition for item in items}:
            self.confirm(partition, terms[partition])
        self._connection.execute(load("holds")["unhold"], {"changes": array(partitions_of(items))})
        row = self._connection.execute(load("holds")["epoch"]).fetchone()
        return int(row[0]) if row else 0

    def confirm(self, partition: int, term: int) -> None:
        """Keep a lease ours to the end of the transaction. Raises LeaseLost."""
        fence = {"partition": partition, "term": term, "holder": self._holder}
        if self._connection.execute(load("holds")["confirm"], fence).rowcount != 1:
            raise LeaseLost("the partition of a held change has a later holder")
