"""Taking ticks, and knowing which ticks are still to be published: the relay's view of `orgstream.tick`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.postgres.queries import load
from pipeline.redis.streams import Fenced
from pipeline.ticks import Snapshot, Tick, ticks_of

if TYPE_CHECKING:
    import psycopg


class Due(msgspec.Struct, frozen=True):
    """A tick to publish: its batch is what it sees and `previous` does not, above the change id `after`."""

    previous: Tick
    tick: Tick
    after: int
    fresh: bool  # taken just now: nothing of it can stand in Redis yet


class Ticker:
    """The ticks of one relay's term."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._queries = load("relay")
        self._to_publish: list[Tick] = []
        self._without_changes: set[int] = set()  # transactions that ended since the last tick and wrote none
        self.last = Tick(0, "1:1:", 0, published=True)  # the last one published
        self.taken = 0

    def resume(self) -> None:
        """Go on after the last published tick; what was taken and not published comes first."""
        self._begin("last_published", 0)

    def rewind(self, first: int) -> None:
        """Go back, to publish from the tick `first` on once more."""
        self._begin("from_tick", first - 1)

    def next(self, term: int) -> Due | None:
        """The next tick to publish; None when there is nothing new. Raises Fenced."""
        fresh = not self._to_publish
        tick = self._take(term) if fresh else self._to_publish.pop(0)
        if tick is None:
            return None
        late = self.last.parsed.ended_by(tick.parsed)
        # They may have drawn their ids before the last tick; all others drew theirs after it.
        after = self._position_before(min(late)) if late else self.last.position
        return Due(self.last, tick, after, fresh)

    def published(self, tick: Tick, changes: int) -> bool:
        """Note that a tick's whole batch stands in Redis; whether no other waits to be published again."""
        self._connection.execute(self._queries["mark_published"], {"id": tick.id, "changes": changes})
        self.last = msgspec.structs.replace(tick, published=True, changes=changes)
        self._without_changes.clear()
        return not self._to_publish

    def taken_at(self) -> str:
        """When the last published tick was taken: everything committed before is in it or before it."""
        row = self._connection.execute(self._queries["taken_at"], {"id": self.last.id}).fetchone()
        return str(row[0]) if row else ""

    def _begin(self, query: str, tick: int) -> None:
        ticks = ticks_of(self._connection.execute(self._queries[query], {"id": tick}).fetchall())
        self.last, self._to_publish = ticks[0], ticks[1:]
        self._without_changes.clear()

    def _take(self, term: int) -> Tick | None:
        row = self._connection.execute(
            self._queries["peek"], {"position": self.last.position, "last": self.last.snapshot}
        ).fetchone()
        if row is None:
            return None
        position, snapshot, news = row
        now = Snapshot.parse(snapshot)
        if not news and not self._late_news(now):
            return None
        taken = self._connection.execute(
            self._queries["take_tick"], {"id": self.last.id + 1, "position": position, "term": term}
        ).fetchone()
        if taken is None:
            raise Fenced("a later relay has taken over")
        self.taken += 1
        return Tick(self.last.id + 1, taken[0], position, published=False, xid=taken[1])

    def _late_news(self, now: Snapshot) -> bool:
        """Whether a transaction that was open at the last tick has ended since and brought changes."""
        ended = [xid for xid in self.last.parsed.ended_by(now) if xid not in self._without_changes]
        if not ended:
            return False
        row = self._connection.execute(
            self._queries["late_news"],
            {
                "after": self._position_before(min(ended)),
                "position": self.last.position,
                "xids": [str(xid) for xid in ended],
            },
        ).fetchone()
        if row is not None and row[0]:
            return True
        self._without_changes.update(ended)
        return False

    def _position_before(self, xid: int) -> int:
        row = self._connection.execute(
            self._queries["position_before"], {"tick": self.last.id, "xid": str(xid)}
        ).fetchone()
        return int(row[0]) if row else 0
