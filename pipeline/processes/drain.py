"""`drain`: replicate what is queued now, then end; the same relay and worker, taking turns in one process."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from pipeline.metrics import Metrics
from pipeline.pauses import Pauses
from pipeline.postgres.connection import connect
from pipeline.postgres.queries import load
from pipeline.process import this_process
from pipeline.processes.assembly import check_servers, open_relay, open_worker, pace_of
from pipeline.processes.collector import Collector
from pipeline.supervise import supervise
from pipeline.topology import RELAY, STAGES, steps_of

if TYPE_CHECKING:
    import psycopg

    from pipeline.leases import EntryId
    from pipeline.postgres.pace import Pace
    from pipeline.process import Process
    from pipeline.relay import Relay
    from pipeline.settings import Settings
    from pipeline.signals import Stop

_PAUSE: Final = 0.02


def run_drain(settings: Settings, stop: Stop) -> int:
    """Replicate what is queued; how many dead letters were written meanwhile. Raises ConfigurationError."""
    check_servers(settings)
    process = this_process(settings, "drain", [RELAY, *STAGES])
    last = _letters(settings, "last_letter", 0)
    pauses, pace, counts = Pauses(), pace_of(settings), [0]

    def drain() -> None:
        with contextlib.closing(connect(settings, "drain")) as connection:
            _drain(settings, process, connection, stop, pauses=pauses, pace=pace)
        counts.append(_letters(settings, "letters_since", last))

    supervise(drain, stop, pauses=pauses)
    return counts[-1]


def _drain(
    settings: Settings,
    process: Process,
    connection: psycopg.Connection,
    stop: Stop,
    *,
    pauses: Pauses,
    pace: Pace,
) -> None:
    metrics = Metrics()
    since = connection.execute(load("status")["now"]).fetchone()
    with (
        open_relay(settings, process, metrics) as relay,
        open_worker(settings, process, steps_of(",".join(STAGES)), metrics, pace) as worker,
        contextlib.closing(Collector()) as collector,
    ):
        goal: EntryId | None = None
        while not stop.requested:
            moved = relay.step()
            if goal is None:
                goal = _goal(relay, connection, since[0] if since else None, moved=moved)
            moved = worker.step() or moved
            pauses.worked()
            collector.between_batches()
            if goal is not None and _reached(connection, goal, settings.partitions):
                return
            if not moved:
                stop.wait(_PAUSE)


def _goal(relay: Relay, connection: psycopg.Connection, since: object, *, moved: bool) -> EntryId | None:
    """The watermark after everything that was committed when we began; None while it is not published."""
    if relay.leading:
        idle = not moved and not relay.waiting
        return relay.mark() if relay.has_published or idle else None
    # Another relay is at it: it publishes what we found, and sends a watermark within a second.
    backlog, _ = connection.execute(load("status")["backlog"]).fetchone() or (0, None)
    row = connection.execute(load("status")["goal"], {"since": since, "last": backlog == 0}).fetchone()
    return None if row is None else (row[0], row[1] + 1 if row[0] else 0)


def _reached(connection: psycopg.Connection, goal: EntryId, partitions: int) -> bool:
    row = connection.execute(
        load("status")["reached"], {"tick": goal[0], "ordinal": goal[1], "partitions": partitions}
    ).fetchone()
    return row is not None and bool(row[0])


def _letters(settings: Settings, query: str, since: int) -> int:
    with contextlib.closing(connect(settings, "drain")) as connection:
        row = connection.execute(load("status")[query], {"id": since}).fetchone()
    return int(row[0]) if row else 0
