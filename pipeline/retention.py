"""Retention: what took effect long ago is dropped, a range of change ids at a time, by the active relay.

The queue and the ledger are partitioned by the same ranges of ids. A range ends by volume or by time; it is
dropped whole when nothing can need it any more (`due` in sql/queries/retention.sql).
"""

from __future__ import annotations

import contextlib
import math
import time
from typing import TYPE_CHECKING, Any, Final

import psycopg

from pipeline.log import get_logger
from pipeline.metrics import catalog
from pipeline.ports import Fenced
from pipeline.postgres.queries import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipeline.metrics import Metrics

SLICES: Final = 8  # ranges in the time of retention: so much longer than asked for does a change stay
LEAST_IDS: Final = 2**16
_SKIPPED_AT_A_TIME: Final = 100_000
_ROWS_AT_A_TIME: Final = 5_000
_GLANCE: Final = 1.0  # seconds between two looks at how far the ids are
_LONGEST_PAUSE: Final = 60.0
_SHORTEST_PAUSE: Final = 0.2
_TRUSTED: Final = 86_400.0  # how far the database's clock may have moved while no relay looked, in seconds
_LOCK_TIMEOUT: Final = "100ms"
log = get_logger()


class Retention:
    """The upkeep of one relay, on its connection. `retention` is in seconds."""

    def __init__(
        self,
        connection: psycopg.Connection,
        retention: float,
        *,
        metrics: Metrics,
        least_ids: int = LEAST_IDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._retention = retention
        self._slice = retention / SLICES
        self._metrics = metrics
        self._least_ids = least_ids
        self._clock = clock
        self._queries: Mapping[str, Any] = load("retention")
        self._told_at = -math.inf
        self._glance_at = -math.inf
        self._next = -math.inf
        self._reach = 0  # the first id of the last range: there another one is to be made

    def run(self, term: int, position: int) -> bool:
        """See `Upkeep`. Raises psycopg.Error for an outage, Fenced."""
        now = self._clock()
        if now < self._glance_at and (position < self._reach or now < self._next):
            return False
        self._glance_at = now + _GLANCE
        drawn = self._value("drawn")
        if now < self._next and drawn < self._reach:
            return False
        pause = min(max(self._retention / 100, _SHORTEST_PAUSE), _LONGEST_PAUSE)
        try:
            more = any([self._cut(now, drawn), self._drop(term), self._forget(), self._remove()])
            self._next = now + (_SHORTEST_PAUSE / 10 if more else pause)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            log.info("a table is in use, so retention waits", action="retention_waits")
            self._next = now + pause
        return bool(self._value("awaits_tick", retention=self._retention))

    def _cut(self, now: float, drawn: int) -> bool:
        """Note which ranges are open and closed, and have room ahead; whether one is being ended."""
        # Twice as far as our own clock moved: then it catches up, should it have fallen behind.
        allowed = min(_TRUSTED, 2 * (now - self._told_at))
        self._told_at = now
        self._execute("tell_time", allowed=allowed)
        self._execute("open", drawn=drawn)
        self._execute("close", drawn=drawn)
        size = self._value("wanted_size", drawn=drawn, slice=self._slice, least=self._least_ids)
        if size is not None:
            self._make(size)
        self._reach = self._value("reach")
        return self._skip(drawn)

    def _make(self, size: int) -> None:
        with self._patiently():
            self._execute("make", size=size)
        log.info("room for more changes", action="range_made", ids=size)

    def _skip(self, drawn: int) -> bool:
        """End a range at its time, by drawing its last ids; whether some are left."""
        row = self._execute("overdue", drawn=drawn, slice=self._slice).fetchone()
        if row is None:
            return False
        first, left = row
        self._execute("skip", first=first, ids=min(left, _SKIPPED_AT_A_TIME))
        return True

    def _drop(self, term: int) -> bool:
        """Drop the oldest range that nothing needs; whether there was one."""
        with self._patiently():
            if self._execute("fence", term=term).rowcount == 0:
                raise Fenced("a later relay has taken over")
            row = self._execute("due", retention=self._retention, term=term).fetchone()
            if row is None:
                return False
            first, beyond, changes = row
            whole = self._value("empty", first=first)
        if whole:
            log.info("old changes are dropped", action="changes_dropped", first=first, last=beyond - 1)
            self._metrics.add(catalog.DROPPED_CHANGES, changes)
        return True

    def _remove(self) -> bool:
        """Remove the tables of a range that was emptied; whether there was one."""
        first = self._value("emptied")
        if first is not None:
            with self._patiently():
                self._execute("remove", first=first)
        return first is not None

    def _forget(self) -> bool:
        """Delete what is of no use any more beside the ranges; whether there may be more."""
        self._execute("forget_processes")
        ticks = self._execute("forget_ticks", rows=_ROWS_AT_A_TIME).rowcount
        letters = self._execute("forget_letters", retention=self._retention, rows=_ROWS_AT_A_TIME).rowcount
        awaited = self._execute("forget_awaited", retention=self._retention, rows=_ROWS_AT_A_TIME).rowcount
        echoes = self._execute("forget_echoes", rows=_ROWS_AT_A_TIME).rowcount
        links = self._execute("forget_links", rows=_ROWS_AT_A_TIME).rowcount
        mine = {"retention": self._retention, "rows": _ROWS_AT_A_TIME}
        decided = [self._execute(query, **mine).rowcount for query in ("forget_stamps", "forget_conflicts")]
        if ticks or letters:
            log.info("old records are deleted", action="records_deleted", ticks=ticks, letters=letters)
        return _ROWS_AT_A_TIME in (ticks, letters, awaited, echoes, links, *decided)

    @contextlib.contextmanager
    def _patiently(self) -> Iterator[None]:
        """A transaction that gives way: who waits behind its request for a lock waits a moment only."""
        with self._connection.transaction():
            self._execute("limit_waits", lock_timeout=_LOCK_TIMEOUT)
            yield

    def _execute(self, query: str, **parameters: object) -> psycopg.Cursor:
        return self._connection.execute(self._queries[query], parameters)

    def _value(self, query: str, **parameters: object) -> Any:
        row = self._execute(query, **parameters).fetchone()
        return None if row is None else row[0]
