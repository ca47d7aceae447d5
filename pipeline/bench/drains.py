"""Drains: a backlog made while nothing runs, then the processes start and carry it to the target."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.bench.processor import ProcessorTime
from pipeline.bench.report import Figure, figure
from pipeline.bench.watch import Watch
from pipeline.bench.workloads import Workload, workloads
from pipeline.errors import Failure
from pipeline.postgres.queries import load
from pipeline.topology import RELAY

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from pipeline.bench.processes import Processes
    from pipeline.bench.sizes import Sizes
    from pipeline.bench.world import World
    from pipeline.signals import Stop

METHOD: Final = (
    "The backlog is made while no process runs. Then relay and workers start. The rate is taken from the "
    "moment the first changes are seen in the ledger to the moment the last one is, without those first; "
    "`from start` is all of them over the time since the processes were started, the start of Python "
    "included. Afterwards every record of the target is compared with its source through the rule."
)
_LOOK_SECONDS: Final = 0.01


class Drained(msgspec.Struct, frozen=True):
    """How a backlog went: times in seconds from the start, and what was applied at the first look."""

    count: int
    first_at: float
    first_count: int
    last_at: float

    def figures(self, group: str, workload: Workload, what: str) -> list[Figure]:
        """The rate while running, and from the start."""
        name = f"{group}.{workload.name}"
        running = (self.count - self.first_count) / (self.last_at - self.first_at)
        each = f"transactions of {workload.per_transaction}"
        meaning = f"{what} of {self.count} {workload.statement.partition('_')[0]}s in {each}"
        return [
            figure(name, running, "changes/s", f"{meaning}, first to last"),
            figure(f"{name}.from_start", self.count / self.last_at, "changes/s", f"{meaning}, from start"),
        ]


def measure_drains(
    world: World, processes: Processes, sizes: Sizes, stop: Stop, tell: Callable[[str], None]
) -> list[Figure]:
    """The three drains one after the other. Raises Failure where the target came out wrong."""
    figures: list[Figure] = []
    for workload in workloads(sizes):
        tell(f"drain: {workload.count} {workload.name}")
        since = _number(world.connection, "last_change")
        workload.make(world.connection)
        drained, used = _drain(world, processes, since, workload, stop)
        figures += [*drained.figures("drains", workload, "drain"), *used]
        wrong = _number(world.connection, "differences")
        if wrong:
            raise Failure(f"after the drain of {workload.name} {wrong} records of the target are wrong")
    return figures


def _drain(
    world: World, processes: Processes, since: int, workload: Workload, stop: Stop
) -> tuple[Drained, list[Figure]]:
    connection, count = world.connection, workload.count

    def applied() -> int:
        return _number(connection, "applied_since", id=since)

    time_used = ProcessorTime(world, processes)
    began = time.monotonic()
    with processes.running() as children:
        watch = Watch(stop, children)
        for kind, stage in {RELAY: RELAY, **processes.stages}.items():
            watch.until(f"the {kind}", partial(_holds, connection, stage), pause=_LOOK_SECONDS)
            time_used.begin(kind)
        first_at = watch.until("the first change", lambda: applied() > 0, pause=_LOOK_SECONDS)
        first = applied()
        # Counting the ledger costs something; so it is counted only when the last entry has come through.
        watch.until("the last entry", lambda: _number(connection, "furthest") >= count, pause=_LOOK_SECONDS)
        last_at = watch.until("the last change", lambda: applied() >= count, pause=_LOOK_SECONDS)
        used = time_used.figures(f"drains.{workload.name}.processor", count)
    return Drained(count, first_at - began, first, last_at - began), used


def _holds(connection: psycopg.Connection, stage: str) -> bool:
    """Whether a process holds a lease of the stage."""
    return connection.execute(load("bench")["holders"], {"stage": stage}).fetchone() is not None


def _number(connection: psycopg.Connection, query: str, **parameters: int) -> int:
    row = connection.execute(load("bench")[query], parameters).fetchone()
    return int(row[0] or 0) if row else 0
