"""Publishing one tick's batch: where each entry goes, and when it must wait for the streams to run empty.

A change of a record's identity is one entry, in the partition of the old key. What came before under the
new key lies in another partition, and so will what follows: there the relay lets the streams run empty, once
before and once after, so that order holds across partitions. `Moves` keeps account of when that is needed.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.leases import START
from pipeline.redis.entry import CHANGE, Entry
from pipeline.redis.keys import partition_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from pipeline.leases import EntryId
    from pipeline.ticker import Due

_REMEMBERED: Final = 50_000

QueueRow = tuple[int, bytes | None, bytes | None, bytes]  # id, route, old route, the entry's JSON


class Moves:
    """Which records were published since the streams were last seen empty, as far as moves need to know."""

    def __init__(self, *, waiting: bool = False) -> None:
        self._known = False  # whether the two sets tell of everything since then
        self._published: set[bytes] = set()
        self._moved: set[bytes] = set()
        self.waiting = waiting  # what is next waits until the streams are empty

    @property
    def in_flight(self) -> bool:
        """Whether a record has moved to another partition since then."""
        return bool(self._moved)

    @property
    def noted(self) -> bool:
        """Whether Redis may tell of one: ours, or one of the relay before us."""
        return self.in_flight or not self._known

    def emptied(self) -> None:
        """The streams are empty: nothing published before can be overtaken."""
        self._known = True
        self.waiting = False
        self._published.clear()
        self._moved.clear()

    @property
    def concerned(self) -> bool:
        """Whether an entry that is no move itself may have to do with one; mostly there is none at all."""
        return self._known or bool(self._moved)

    def must_wait(self, route: bytes, old_route: bytes | None, partitions: int) -> bool:
        """Whether this entry may go out only after the streams have run empty."""
        if route in self._moved or old_route in self._moved:
            return True
        if old_route is None or partition_of(old_route, partitions) == partition_of(route, partitions):
            return False
        return not self._known or route in self._published

    def published(self, route: bytes, old_route: bytes | None, partitions: int) -> None:
        """Take note of an entry."""
        if old_route is not None and partition_of(old_route, partitions) != partition_of(route, partitions):
            self._moved.add(route)
        if self._known:
            self._published.add(route)
            if old_route is not None:
                self._published.add(old_route)
            if len(self._published) > _REMEMBERED:  # forget, and wait once more at the next move
                self._known = False
                self._published.clear()


class Routed(msgspec.Struct):
    """A piece of a batch, ready to be appended."""

    entries: dict[int, list[Entry]]
    rows: int  # how many of the rows it covers
    bytes: int
    waits: bool  # whether the row after them has to wait for empty streams


class Publication:
    """A tick whose batch is being published, and how far that is."""

    def __init__(self, due: Due, applied: Mapping[int, EntryId] | None = None) -> None:
        self.due = due
        self._applied = applied or {}  # what has taken effect in each partition, where it may be of this tick
        self.after = due.after  # change id up to which the outbox was read
        self.fresh = due.fresh  # while nothing of it was tried before, every entry must be new to Redis
        self.ordinal = 0
        self.read: Sequence[QueueRow] = ()  # of the outbox, and not yet published

    @property
    def applied(self) -> int:
        """How many changes, from the first on, have taken effect for certain."""
        tick = self.due.tick.id
        places = [ordinal if at == tick else None for at, ordinal in self._applied.values() if at <= tick]
        return min((place or 0 for place in places), default=0)

    def go_on(self, ordinal: int, after: int) -> None:
        """Begin after the change at this place, which has this id."""
        self.ordinal, self.after = ordinal, after

    def published(self, rows: int) -> None:
        """So many of those read stand in Redis."""
        if rows:
            self.after = self.read[rows - 1][0]
        self.ordinal += rows
        self.read = self.read[rows:]

    def route(self, moves: Moves, partitions: int, anew: AbstractSet[int] = frozenset()) -> Routed:
        """Sort what was read into partitions, up to the first that has to wait.

        Partitions that are made `anew` get also what was published before.
        """
        entries: defaultdict[int, list[Entry]] = defaultdict(list)
        size = count = 0
        tick, published, applied = self.due.tick.id, self.due.tick.published, self._applied
        concerned = moves.concerned
        for ordinal, (_, route, old_route, document) in enumerate(self.read, self.ordinal + 1):
            name = route or b""  # a truncated table is no record
            partition = partition_of(old_route or name, partitions)
            if applied and (tick, ordinal) <= applied.get(partition, START):
                count += 1
                continue  # it has taken effect: nothing can overtake it
            if concerned or old_route is not None:
                if moves.must_wait(name, old_route, partitions):
                    return Routed(entries, count, size, waits=True)
                moves.published(name, old_route, partitions)
                concerned = moves.concerned
            count += 1
            if not published or partition in anew:
                entries[partition].append(Entry(b"%d-%d" % (tick, ordinal), CHANGE, document))
                size += len(document)
        return Routed(entries, count, size, waits=False)
