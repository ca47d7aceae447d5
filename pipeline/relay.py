"""The relay: takes ticks and publishes their batches into the partition streams, one relay at a time.

It moves in steps, so that a process, `drain` and a test drive it alike.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from pipeline.leases import START
from pipeline.log import get_logger
from pipeline.metrics import StageMetrics, catalog
from pipeline.ports import Fenced, StreamsFull, StreamsLost
from pipeline.publication import Moves, Publication
from pipeline.redis.entry import MARK, Entry
from pipeline.room import Room
from pipeline.ticker import Ticker
from pipeline.topology import RELAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.leases import EntryId, Leases
    from pipeline.metrics import Metrics
    from pipeline.ports import Outbox, Positions, Recognition, RelayStreams, Upkeep
    from pipeline.publication import QueueRow, Routed
    from pipeline.room import Limits
    from pipeline.ticker import Due

_BATCH_BYTES: Final = 8 * 1024 * 1024
_VERIFY_SECONDS: Final = 1.0
log = get_logger()


class Relay:
    """One relay's state: the last tick published, the ones to publish, and the room left in the streams."""

    def __init__(
        self,
        outbox: Outbox,
        positions: Positions,
        streams: RelayStreams,
        leases: Leases,
        limits: Limits,
        *,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
        upkeep: Upkeep | None = None,
        recognition: Recognition | None = None,
    ) -> None:
        self._outbox = outbox
        self._upkeep = upkeep
        self._recognition = recognition
        self._positions = positions
        self._streams = streams
        self._leases = leases
        self._limits = limits
        self._clock = clock
        self._metrics = metrics
        self._own = StageMetrics(metrics, RELAY)
        self._ticker = Ticker(outbox)
        self._term: int | None = None
        self._moves = Moves()
        self._rebuilding: set[int] = set()
        self._publication: Publication | None = None
        self._room = Room(streams, limits)
        self._verify_at = 0.0
        self._marked: EntryId = (0, 0)
        self._next_mark = 0.0
        self.waiting = False  # for room, or for the streams to run empty

    @property
    def leading(self) -> bool:
        """Whether this is the one active relay."""
        return self._term is not None

    @property
    def has_published(self) -> bool:
        """Whether a tick that this relay took stands in Redis as a whole."""
        return self._ticker.taken > 0 and self._publication is None

    def step(self) -> bool:
        """Do one piece of work; whether there was any. Raises what the ports raise.

        After an error the next step takes over anew.
        """
        self.waiting = False
        try:
            self._lead()
            return self._term is not None and self._work(self._term)
        except Fenced:
            self._resign()
            return False
        except StreamsLost:
            self._resign()
            return True
        except StreamsFull:
            self._retry_later()
            return False
        except Exception:
            self._resign()
            raise

    def mark(self) -> EntryId:
        """Send a watermark through all partitions; its id. Everything published is finished once it is."""
        last = self._ticker.last
        id_ = (last.id, last.changes + 1)
        if self._term is not None and id_ > self._marked:
            entry = Entry(b"%d-%d" % id_, MARK, self._ticker.taken_at().encode())
            self._streams.append({p: [entry] for p in range(self._limits.partitions)}, self._term)
            self._marked = id_
        self._next_mark = self._clock() + _VERIFY_SECONDS
        return id_

    def _lead(self) -> None:
        gained, lost = self._leases.tend()
        if lost:
            self._term = None
        self._own.leases(len(self._leases.held), lost=self._leases.losses())
        for grant in gained:
            self._term = grant.terms["relay"]
            if self._recognition is not None:
                self._recognition.settle(self._term)
            self._begin()

    def _resign(self) -> None:
        self._leases.drop([0])
        self._term = None

    def _begin(self) -> None:
        """Begin with what Postgres and Redis say, whatever we knew."""
        self._publication = None
        self._verify_at = 0.0
        self._streams.forget()
        self._ticker.resume()
        self._moves = Moves(waiting=self._streams.moving(range(self._limits.partitions)))

    def _work(self, term: int) -> bool:
        if self._clock() >= self._verify_at:
            self._verify(term)
        if self._publication is None:
            if self._clock() >= self._next_mark:  # also under load, for the partitions that are quiet
                self.mark()
            if self._upkeep is not None:
                self._ticker.wanted |= self._upkeep.run(term, self._ticker.last.position)
            due = self._ticker.next(term)
            self._publication = None if due is None else self._take_up(due)
        if self._publication is not None:
            return self._publish(self._publication, term)
        return False

    def _verify(self, term: int) -> None:
        """Whether Redis still holds what was published; if not, publish again what is not applied."""
        every = range(self._limits.partitions)
        lost = set(self._streams.missing(every))
        published = self._streams.published()
        if published is None or published < self._ticker.last.id:  # Redis went back in time, or began anew
            lost = set(every)
            self._streams.give_up(every)  # what looks whole may be pending where it was finished before
        if lost:  # said first: should we die before the end, the relay after us publishes all again
            self._streams.set_published(None)
        lost.update(self._streams.prepare(every, term))
        if lost:
            self._rebuild(lost)
        self._verify_at = self._clock() + _VERIFY_SECONDS

    def _rebuild(self, lost: set[int]) -> None:
        self._metrics.add(catalog.REBUILT_PARTITIONS, len(lost))
        log.info("streams are made anew", action="streams_rebuilt", partitions=len(lost))
        self._rebuilding |= lost
        applied = self._applied()
        self._ticker.rewind(max(1, min(applied[partition][0] for partition in self._rebuilding)))
        self._streams.set_published(self._ticker.last.id)
        self._publication = None
        self._moves = Moves(waiting=self._streams.moving(range(self._limits.partitions)))
        self._marked = (0, 0)
        self._room.forget()

    def _applied(self) -> dict[int, EntryId]:
        positions = self._positions.applied()
        return {partition: positions.get(partition, START) for partition in range(self._limits.partitions)}

    def _take_up(self, due: Due) -> Publication:
        """Begin with a tick, or go on with one of which a part may have taken effect."""
        if due.fresh:
            return Publication(due)
        publication = Publication(due, self._applied())
        done = publication.applied
        after = self._outbox.change_at(due, done) if done else None
        if after is not None:
            publication.go_on(done, after)
        return publication

    def _publish(self, publication: Publication, term: int) -> bool:
        if self._moves.waiting and not self._emptied():
            return False
        if not self._room.left():
            self.waiting = True
            return False
        if not publication.read:
            publication.read = self._read(publication)
        if not publication.read:
            self._finish(publication)
            return True
        routed = publication.route(self._moves, self._limits.partitions, self._rebuilding)
        self._append(publication, routed, term)
        publication.published(routed.rows)
        self._moves.waiting = routed.waits
        return True

    def _append(self, publication: Publication, routed: Routed, term: int) -> None:
        count = sum(map(len, routed.entries.values()))
        fresh, publication.fresh = publication.fresh, False
        appended = self._streams.append(routed.entries, term, fresh=fresh, moving=self._moves.in_flight)
        publication.fresh = fresh
        self._room.take(count, routed.bytes)
        self._metrics.add(catalog.RELAYED_CHANGES, appended)

    def _read(self, publication: Publication) -> list[QueueRow]:
        return self._outbox.batch(
            publication.due,
            publication.after,
            rows=min(self._limits.batch, self._room.entries),
            size=min(_BATCH_BYTES, self._room.bytes),
        )

    def _finish(self, publication: Publication) -> None:
        self._streams.set_published(publication.due.tick.id)
        if self._ticker.published(publication.due.tick, publication.ordinal):
            self._rebuilding = set()
        self._publication = None

    def _emptied(self) -> bool:
        if not self._streams.empty(self._limits.partitions):
            self.waiting = True
            return False
        if self._moves.noted:
            self._streams.forget_moves(range(self._limits.partitions))
        self._moves.emptied()
        return True

    def _retry_later(self) -> None:
        """Redis is full: nothing is lost, the backlog stays in Postgres until the workers have made room."""
        if self._publication is not None:
            self._publication.fresh = False
        self._room.forget()
        self.waiting = True
