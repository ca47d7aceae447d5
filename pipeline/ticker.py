"""Taking ticks, and knowing which ticks are still to be published: the relay's view of `orgstream.tick`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.ticks import Snapshot, Tick

if TYPE_CHECKING:
    from pipeline.ports import Outbox


class Due(msgspec.Struct, frozen=True):
    """A tick to publish: its batch is what it sees and `previous` does not, above the change id `after`."""

    previous: Tick
    tick: Tick
    after: int
    fresh: bool  # taken just now: nothing of it can stand in Redis yet


class Ticker:
    """The ticks of one relay's term."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._to_publish: list[Tick] = []
        self._without_changes: set[int] = set()  # transactions that ended since the last tick and wrote none
        self.last = Tick(0, "1:1:", 0, published=True)  # the last one published
        self.taken = 0
        self.wanted = False  # a tick even without changes: it tells that transactions have ended

    def resume(self) -> None:
        """Go on after the last published tick; what was taken and not published comes first."""
        self._begin(self._outbox.unpublished())

    def rewind(self, first: int) -> None:
        """Go back, to publish from the tick `first` on once more."""
        self._begin(self._outbox.ticks_from(first - 1))

    def next(self, term: int) -> Due | None:
        """The next tick to publish; None when there is nothing new. Raises Fenced."""
        fresh = not self._to_publish
        tick = self._take(term) if fresh else self._to_publish.pop(0)
        if tick is None:
            return None
        late = self.last.parsed.ended_by(tick.parsed)
        # They may have drawn their ids before the last tick; all others drew theirs after it.
        after = self._outbox.position_before(self.last.id, min(late)) if late else self.last.position
        return Due(self.last, tick, after, fresh)

    def published(self, tick: Tick, changes: int) -> bool:
        """Note that a tick's whole batch stands in Redis; whether no other waits to be published again."""
        self._outbox.mark_published(tick.id, changes)
        self.last = msgspec.structs.replace(tick, published=True, changes=changes)
        self._without_changes.clear()
        return not self._to_publish

    def taken_at(self) -> str:
        """When the last published tick was taken: everything committed before is in it or before it."""
        return self._outbox.taken_at(self.last.id)

    def _begin(self, ticks: list[Tick]) -> None:
        self.last, self._to_publish = ticks[0], ticks[1:]
        self._without_changes.clear()

    def _take(self, term: int) -> Tick | None:
        position, snapshot, news = self._outbox.look(self.last)
        if not news and not self._late_news(Snapshot.parse(snapshot)) and not self.wanted:
            return None
        self.wanted = False
        tick = self._outbox.take(self.last.id + 1, position, term)
        self.taken += 1
        return tick

    def _late_news(self, now: Snapshot) -> bool:
        """Whether a transaction that was open at the last tick has ended since and brought changes."""
        ended = [xid for xid in self.last.parsed.ended_by(now) if xid not in self._without_changes]
        if not ended:
            return False
        after = self._outbox.position_before(self.last.id, min(ended))
        if self._outbox.late_changes(ended, after, self.last.position):
            return True
        self._without_changes.update(ended)
        return False
