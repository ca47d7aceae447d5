"""Mistakes that the model has to find: what each mechanism is there for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.ports import Look
from pipeline.worker import Worker
from tests.fixtures.memory.outbox import MemoryOutbox, row_of
from tests.fixtures.memory.streams import MemoryStreams
from tests.fixtures.memory.target import MemoryTarget
from tests.model.machine import Deaths, Losses, Meddling, Steps
from tests.model.mover import Parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.publication import QueueRow
    from pipeline.run import Batch
    from pipeline.ticker import Due
    from pipeline.ticks import Tick


class AcknowledgesFirst(Worker):
    """Entries are finished in Redis before their effect is committed."""

    def _settle(self, batch: Batch) -> None:
        if self._target is not None:
            self._run.finish(batch, self._leases.held)
        super()._settle(batch)


class WithoutLedger(MemoryTarget):
    """Nobody looks whether a write was made before."""

    def _ledger(self) -> frozenset[tuple[int, int]]:
        return frozenset()


class UnfencedTarget(MemoryTarget):
    """A former holder may commit."""

    def _require_lease(self, partition: int, term: int) -> None:
        pass


class UnfencedStreams(MemoryStreams):
    """A former holder may append, read and acknowledge."""

    fenced = False


class ById(MemoryOutbox):
    """`id > last`: what commits late, with an id long passed, is not seen."""

    def look(self, last: Tick) -> Look:
        position, snapshot, _ = super().look(last)
        return Look(
            position, snapshot, news=any(change.id > last.position for change in self._database.visible())
        )

    def late_changes(self, *_: object) -> bool:
        return False

    def batch(self, due: Due, after: int, *, rows: int, size: int) -> list[QueueRow]:
        del size
        first, last = max(after, due.previous.position), due.tick.position
        return [row_of(change) for change in self._database.visible() if first < change.id <= last][:rows]


class ForgetsATick(MemoryOutbox):
    """A rebuild begins one tick too late."""

    def ticks_from(self, first: int) -> list[Tick]:
        return super().ticks_from(min(first + 1, self._database.ticks[-1].id))


class _AcknowledgesFirst(Parts):
    worker = AcknowledgesFirst


class _WithoutLedger(Parts):
    target = WithoutLedger


class Unfenced(Parts):
    """No fences anywhere; tests/model/test_fences.py has the history that it takes."""

    target = UnfencedTarget
    streams = UnfencedStreams


class _ById(Parts):
    outbox = ById


class _ForgetsATick(Parts):
    outbox = ForgetsATick


# Each with the faults that it takes to see it.
DEFECTS: Final[Mapping[str, tuple[type[Steps], Parts]]] = {
    "acknowledges before it commits": (Deaths, _AcknowledgesFirst()),
    "does without the ledger": (Meddling, _WithoutLedger()),
    "reads by id > last": (Steps, _ById()),
    "rebuilds without the last tick": (Losses, _ForgetsATick()),
}
