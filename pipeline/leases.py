"""Leases: who may work on a partition, with a fencing number (the term) that rises at every grant.

They live in Postgres, by its clock, so that they outlast Redis; a holder that lost one is refused by the
term wherever it tries to have an effect.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.ports import LeaseLost
from pipeline.shares import share_of
from pipeline.topology import STAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from pipeline.ports import LeaseTable
    from pipeline.process import Process

EntryId = tuple[int, int]
START: Final[EntryId] = (0, 0)
_LONGEST_SILENCE: Final = 1.0  # seconds


class Grant(msgspec.Struct, frozen=True):
    """A partition that is ours: the term for each of our stages, and how far `apply` had come."""

    partition: int
    terms: dict[str, int]
    position: EntryId = START


class Leases:
    """The leases of one process on the partitions of its stages, shared evenly with its like.

    `tend` talks to the table only when it is time to: five times in the life of a lease, and once a second
    at least, to see soon what others left.
    """

    def __init__(
        self,
        table: LeaseTable,
        process: Process,
        *,
        stages: Sequence[str],
        partitions: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._table = table
        self._process = process
        self._stages = list(stages)
        self._way = STAGES if set(stages) <= set(STAGES) else self._stages  # of a change, all of it
        self._partitions = partitions
        self._seconds = seconds
        self._clock = clock
        self._next_tending = self._next_renewal = -math.inf
        self.held: dict[int, Grant] = {}
        self._losses = 0
        table.prepare(self._stages, partitions)

    def tend(self) -> tuple[list[Grant], list[int]]:
        """Renew, take free partitions up to our share, give surplus back.

        What was gained, and what is ours no more; `losses` tells of those that we did not give back.
        """
        now = self._clock()
        if now < self._next_tending:
            return [], []
        self._next_tending = now + min(self._seconds / 5, _LONGEST_SILENCE)
        lost = self._renew()
        self._losses += len(lost)
        sharers = self._table.sharers(self._way, self._seconds)
        share = share_of(self._process.id, sharers, self._partitions)
        surplus = sorted(self.held)[share:]
        self.release(surplus)
        gained = self._take(share - len(self.held))
        if gained:
            self._next_tending = now  # there may be more, or a newcomer
        return gained, lost + surplus

    def hold_on(self) -> None:
        """Renew what is held in the middle of long work, when it is time to. Raises LeaseLost."""
        if self._clock() >= self._next_renewal:
            lost = self._renew()
            self._losses += len(lost)
            if lost:
                raise LeaseLost(f"partitions {lost} have a later holder")

    def losses(self) -> int:
        """How many leases were lost since this was asked last."""
        losses, self._losses = self._losses, 0
        return losses

    def drop(self, partitions: Collection[int]) -> None:
        """Forget leases that turned out to be lost."""
        self._losses += sum(self.held.pop(partition, None) is not None for partition in partitions)
        self._next_tending = -math.inf

    def release(self, partitions: Collection[int] | None = None) -> None:
        """Hand leases back (all of them by default), so that the next holder need not wait."""
        giving = list(self.held) if partitions is None else list(partitions)
        if giving:
            self._table.release(self._process.id, self._stages, giving)
        for partition in giving:
            self.held.pop(partition, None)

    def leave(self) -> None:
        """Hand everything back and forget this process."""
        self.release()
        self._table.forget(self._process.id)

    def _renew(self) -> list[int]:
        """Say that we live, and renew; the partitions that are ours no more."""
        self._next_renewal = self._clock() + self._seconds / 5
        self._table.announce(self._process)
        if not self.held:
            return []
        rows = self._table.renew(self._process.id, self._stages, self._seconds)
        terms = {(partition, stage): term for stage, partition, term in rows}
        lost = [
            partition
            for partition, grant in self.held.items()
            if any(terms.get((partition, stage)) != term for stage, term in grant.terms.items())
        ]
        for partition in lost:
            del self.held[partition]
        return lost

    def _take(self, count: int) -> list[Grant]:
        if count <= 0:
            return []
        others = [partition for partition in range(self._partitions) if partition not in self.held]
        rows = self._table.grant(self._process.id, self._stages, others, seconds=self._seconds, count=count)
        gained: dict[int, Grant] = {}
        for stage, partition, term, tick, ordinal in rows:
            grant = gained.get(partition) or Grant(partition, {})
            grant.terms[stage] = term
            gained[partition] = msgspec.structs.replace(grant, position=max(grant.position, (tick, ordinal)))
        self.held.update(gained)
        return list(gained.values())
