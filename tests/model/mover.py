"""A process of the model: a relay or a worker that dies between any two steps of a server, or is paused."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import psycopg
import redis

from pipeline.leases import Leases
from pipeline.metrics import Metrics
from pipeline.metrics.worker import WorkerMetrics
from pipeline.process import Process
from pipeline.relay import Relay
from pipeline.room import Limits
from pipeline.supervise import is_outage
from pipeline.topology import RELAY, steps_of
from pipeline.worker import Worker
from tests.fixtures.memory.leases import MemoryLeaseTable
from tests.fixtures.memory.outbox import MemoryOutbox, MemoryPositions
from tests.fixtures.memory.releaser import MemoryReleaser
from tests.fixtures.memory.session import Session
from tests.fixtures.memory.streams import MemoryStreams
from tests.fixtures.memory.target import MemoryTarget
from tests.model.ruled import FixedRules
from tests.model.suspended import Suspended

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fixtures.memory.database import MemoryDatabase
    from tests.fixtures.memory.redis import MemoryRedis

LEASE_SECONDS: Final = 5.0
PARTITIONS: Final = 3
LIMITS: Final = Limits(partitions=PARTITIONS, batch=3, max_entries=8, max_bytes=2**20)
_METRICS: Final = Metrics()


class Crash(BaseException):
    """Raised where a process dies: nothing of it catches this."""


class Parts:
    """What the processes are made of; a planted defect replaces one."""

    outbox: type[MemoryOutbox] = MemoryOutbox
    streams: type[MemoryStreams] = MemoryStreams
    target: type[MemoryTarget] = MemoryTarget
    relay: type[Relay] = Relay
    worker: type[Worker] = Worker


class Mover:
    """One process. After it died it is started anew under another name; after an outage under its own."""

    def __init__(
        self,
        name: str,
        stages: str,
        parts: Parts,
        servers: tuple[MemoryDatabase, MemoryRedis],
        clock: Callable[[], float],
    ) -> None:
        self.name = name
        self._stages = stages
        self._parts = parts
        self._database, self._redis = servers
        self._clock = clock
        self._starts = 0
        self._work: Relay | Worker | None = None
        self._leases: Leases | None = None
        self.session = Session()
        self._suspended: Suspended | None = None

    @property
    def held(self) -> set[int]:
        """The partitions that it believes to be its own."""
        return set() if self._leases is None else set(self._leases.held)

    def step(self) -> bool:
        """One step; whether it moved. Dying and waiting for a server count as moving."""
        if self._suspended is None:
            return self._guarded()
        return False

    def step_with_pause(self, points: int, at: str | None = None) -> None:
        """One step, suspended at the point after so many (of the server `at`), where it is until `resume`."""
        if self._suspended is None:
            suspended = Suspended(self._guarded)
            self.session.interrupt(points, suspended.stand_still, at)
            if suspended.begin():
                self.session.clear()
            else:
                self._suspended = suspended

    def resume(self) -> None:
        """Go on, in the middle of the step, as if no time had passed."""
        suspended, self._suspended = self._suspended, None
        if suspended is not None and not suspended.resume():
            self._suspended = suspended

    def crash_at(self, points: int, *, noticed: bool) -> None:
        """Let it die; Postgres notices at once that it is gone, or not before its leases have run out."""

        def die(_: str) -> None:
            self.session.ended = noticed
            raise Crash

        self.session.interrupt(points, die)

    def cut_at(self, points: int) -> None:
        """Cut its connection to a server: the answer to what it did last may be lost."""

        def cut(server: str) -> None:
            if server == "postgres":
                raise psycopg.OperationalError("the connection was cut")
            raise redis.ConnectionError("the connection was cut")

        self.session.interrupt(points, cut)

    def _guarded(self) -> bool:
        try:
            return self._step()
        except Crash:
            self._work = None
            self._starts += 1
            return True

    def _step(self) -> bool:
        try:
            return self._open().step()
        except Exception as error:
            if not is_outage(error):
                raise
            self._close()
            return True

    def _open(self) -> Relay | Worker:
        if self._work is None:
            self.session = Session() if self.session.ended else self.session
            self._work = self._relay() if self._stages == RELAY else self._worker()
        return self._work

    def _close(self) -> None:
        """As a process does after an outage: it gives its leases back if it can, and opens all anew."""
        if self._leases is not None:
            with contextlib.suppress(psycopg.Error):
                self._leases.leave()
        self._work = None

    def _lease(self, stages: list[str], partitions: int) -> tuple[Leases, Process]:
        process = Process(f"{self.name}.{self._starts}", self.name, "here", 1, tuple(stages))
        table = MemoryLeaseTable(self._database, self.session)
        self._leases = Leases(
            table, process, stages=stages, partitions=partitions, seconds=LEASE_SECONDS, clock=self._clock
        )
        return self._leases, process

    def _relay(self) -> Relay:
        leases, _ = self._lease([RELAY], 1)
        return self._parts.relay(
            self._parts.outbox(self._database, self.session),
            MemoryPositions(self._database, self.session),
            self._parts.streams(self._redis, self.session),
            leases,
            LIMITS,
            metrics=_METRICS,
            clock=self._clock,
        )

    def _worker(self) -> Worker:
        stages = self._stages.split(",")
        leases, process = self._lease(stages, PARTITIONS)
        ends = stages[-1] == "apply"
        at = (self._database, self.session, process.id)
        return self._parts.worker(
            MemoryPositions(self._database, self.session),
            self._parts.streams(self._redis, self.session),
            leases,
            FixedRules(),
            steps_of(self._stages),
            consumer=process.id,
            batch=4,
            target=self._parts.target(*at) if ends else None,
            releaser=MemoryReleaser(*at) if ends else None,
            metrics=WorkerMetrics(_METRICS, stages),
            clock=self._clock,
        )
