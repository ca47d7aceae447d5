"""Recognising a restored database, and a Redis that knows of what this database does not.

A dump and restore brings old ticks into a cluster whose transaction ids are others: then the relay begins
anew with these (`refound` in sql/migrations). A recovery to an earlier time, or the promotion of a replica
that had not received all, leaves Redis ahead of Postgres: then the streams are made anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.log import get_logger
from pipeline.ports import Fenced

if TYPE_CHECKING:
    from pipeline.ports import Positions
    from pipeline.postgres.foundation import Foundation
    from pipeline.redis.history import StreamsHistory

_UNSETTLED: Final = "?"  # no history has this name
log = get_logger()


class RestoreRecognition:
    """One relay's look at where it is, each time that it becomes the active one."""

    def __init__(self, foundation: Foundation, positions: Positions, streams: StreamsHistory) -> None:
        self._foundation = foundation
        self._positions = positions
        self._streams = streams

    def settle(self, term: int) -> None:
        """See `Recognition`. Raises what Redis and Postgres raise."""
        here, known = self._foundation.history(), self._streams.known()
        tick, highest = self._streams.furthest()
        ahead = tick > self._positions.newest_tick()
        moved = self._foundation.has_moved()
        if not moved and not ahead and known in (None, here):
            if known is None:
                self._streams.remember(here)
            return
        if term <= highest:  # Redis would refuse us, and let a relay of the other history in
            self._foundation.outbid(term, highest)
            raise Fenced("Redis knows higher terms; the lease is taken anew above them")
        log.warning(
            "Redis holds what this database does not know; the streams are made anew",
            action="streams_of_another_time",
            known=known,
        )
        # In this order: a worker refuses what lies beyond the newest tick, so nothing of the other history
        # may stand in Redis once newer ticks are taken; and who read it before is refused in Postgres.
        self._streams.remember(_UNSETTLED)
        self._streams.discard(term)
        began = self._foundation.refound(term, highest)
        if began is not None:
            log.warning(
                "the database was restored in another cluster; replication goes on there",
                action="database_restored",
                tick=began,
            )
        self._streams.remember(self._foundation.history())
