"""Changes carried from the outbox to the target's door, as a worker would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.batch import item_of
from pipeline.redis.entry import CHANGE, Entry
from pipeline.ticker import Due
from stages.filter import filter_changes
from stages.match import match_changes
from stages.transform import transform_changes
from tests.contract.side import RULES

if TYPE_CHECKING:
    from pipeline.batch import Item
    from tests.contract.side import Side, Transaction

PARTITION = 2  # every change goes through this one


class Carrier:
    """Writes to the source, and takes what is new there as a batch of the next tick."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._outbox = side.outbox()
        (self._last,) = self._outbox.unpublished()
        table = side.leases()
        table.prepare(["relay"], 1)
        ((_, _, self._relay, _, _),) = table.grant("r", ["relay"], [0], seconds=60, count=1)

    def begin(self) -> Transaction:
        """An application's transaction."""
        return self._side.begin()

    def put(self, *pairs: tuple[str, str | None]) -> list[Item]:
        """Records (ext_id, email) written in one transaction, as a batch."""
        transaction = self.begin()
        for ext_id, email in pairs:
            transaction.put(ext_id, email)
        transaction.end(commit=True)
        return self.take()

    def take(self) -> list[Item]:
        """What was committed since the last time."""
        tick = self._outbox.take(self._last.id + 1, self._outbox.look(self._last).position, self._relay)
        rows = self._outbox.batch(Due(self._last, tick, 0, fresh=True), 0, rows=100, size=2**20)
        self._last = tick
        items = [
            item_of(
                PARTITION, Entry(b"%d-%d" % (tick.id, n), CHANGE, row[3]), (tick.id, n), RULES.version, (0, 0)
            )
            for n, row in enumerate(rows, 1)
        ]
        for item in items:
            passages = [item.passage] if item.passage is not None else []
            for stage in (filter_changes, match_changes, transform_changes):
                passages = [passage for passage in stage(passages, RULES) if passage is not None]
            item.passage = passages[0] if passages else None
        return items


def changes(items: list[Item]) -> list[int]:
    """The change ids of a batch."""
    return [item.passage.change.id for item in items if item.passage and item.passage.change]
