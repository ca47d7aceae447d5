"""Ticks: snapshots that cut the outbox into batches without losing late commits (the method of PgQ).

A batch is what one tick's snapshot sees and the one before does not, in the order of the change ids. A
transaction that commits late, with ids long passed, is in the batch of the first tick that sees it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

ENDLESS: Final = 2**63 - 1  # above every change id


class Snapshot(msgspec.Struct, frozen=True):
    """A pg_snapshot: transactions below `xmin` are over, from `xmax` on not begun, `open` in progress."""

    xmin: int
    xmax: int
    open: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> Snapshot:
        """Read Postgres's text form, `xmin:xmax:xid,xid`."""
        xmin, xmax, open_ = text.split(":")
        return cls(int(xmin), int(xmax), tuple(int(xid) for xid in open_.split(",") if xid))

    def over(self, xid: int) -> bool:
        """Whether the transaction had ended when the snapshot was taken."""
        return xid < self.xmin or (xid < self.xmax and xid not in self.open)

    def ended_by(self, later: Snapshot) -> tuple[int, ...]:
        """The transactions that were open here and are over in a later snapshot: the late commits."""
        return tuple(xid for xid in self.open if later.over(xid))


class Tick(msgspec.Struct, frozen=True):
    """A tick as it stands in `orgstream.tick`.

    A snapshot's own xmax is one past the last transaction that *ended*: some from there on may have been at
    work already, with change ids drawn. The tick's own transaction id tells which: it was drawn after
    `position` was read, so those that began later have higher ids in both respects.
    """

    id: int
    snapshot: str
    position: int  # the change id last drawn before the snapshot
    published: bool
    changes: int = 0  # of its batch, once it is published
    xid: int = 1  # of the transaction that took it
    upto: int = ENDLESS  # no change with a higher id is of its batch, whatever the snapshot says

    @property
    def parsed(self) -> Snapshot:
        """The snapshot as numbers, with all that may have been at work when the tick was taken."""
        seen = Snapshot.parse(self.snapshot)
        beyond = range(seen.xmax, self.xid)
        return Snapshot(seen.xmin, max(seen.xmax, self.xid), (*seen.open, *beyond))


def ticks_of(rows: Sequence[tuple[int, str, int, bool, int, int, int]]) -> list[Tick]:
    """Ticks from rows of (id, snapshot, queue_position, published, changes, xid, upto)."""
    return [Tick(*row) for row in rows]
