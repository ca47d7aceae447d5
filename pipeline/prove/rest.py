"""The wait at the end: until everything has taken effect, as `orgstream status` tells it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import psycopg

from pipeline.errors import Failure, ServerUnreachable

if TYPE_CHECKING:
    from pipeline.prove.world import World
    from pipeline.status import Status

PATIENCE_SECONDS: Final = 60.0  # without any progress of what is behind
_LOOK_SECONDS: Final = 1.0  # it costs Postgres a look through the backlog


class Stuck(Failure):
    """Raised when changes do not arrive though all faults are over: the message says where they are."""


class Rest:
    """Told by looks; the wait has no end as long as there is progress."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._last: tuple[Any, ...] = ()
        self._moved_at = self._next = time.monotonic()

    def reached(self) -> bool:
        """Whether all is applied. Raises Stuck."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + _LOOK_SECONDS
        try:
            status = self._world.status()
            behind = self._world.ask("behind")
        except (psycopg.Error, ServerUnreachable):
            return False
        if status.caught_up and status.pending == 0:
            return True
        progress = (status.backlog, status.pending, behind)
        if progress != self._last:
            self._last, self._moved_at = progress, now
        elif now - self._moved_at > PATIENCE_SECONDS:
            raise Stuck(_where(self._world, status, behind))
        return False


def _where(world: World, status: Status, behind: list[tuple[Any, ...]]) -> str:
    partitions = "; ".join(f"{number} (held by {holder}) at {t}-{o}" for number, holder, t, o in behind)
    streams = ", ".join(f"{count} in {name}" for name, count in status.streams.items() if count)
    return (
        f"no progress for {PATIENCE_SECONDS:.0f} s though all faults are over: "
        f"{status.backlog} in the outbox, {streams or 'nothing'} in the streams, "
        f"{status.dead} dead letters, {status.held} held.\n"
        f"Partitions behind: {partitions or 'none'}.\nLast log lines:\n{world.processes.last_words()}\n"
        "Run it again with --keep to look into the database and the logs."
    )
