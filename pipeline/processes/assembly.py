"""Opening a relay or a worker with all it needs, and closing it again."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import psycopg

from pipeline.delivery.watch import DeliveryWatch
from pipeline.errors import ConfigurationError
from pipeline.leases import Leases
from pipeline.metrics.worker import WorkerMetrics
from pipeline.postgres.altered import AlteredTables
from pipeline.postgres.conflicts import Conflicts
from pipeline.postgres.connection import check_session, require_migrated, told
from pipeline.postgres.connection import connect as connect_postgres
from pipeline.postgres.deletes import DeleteGuard
from pipeline.postgres.echoes import Echoes
from pipeline.postgres.foundation import Foundation
from pipeline.postgres.holds import KnownHolds
from pipeline.postgres.knowledge import Steps
from pipeline.postgres.lease_table import PostgresLeaseTable
from pipeline.postgres.letters import LetterDesk
from pipeline.postgres.links import Links
from pipeline.postgres.lookups import Lookups, Parents
from pipeline.postgres.outbox import PostgresOutbox
from pipeline.postgres.pace import Pace
from pipeline.postgres.positions import PostgresPositions
from pipeline.postgres.queries import load
from pipeline.postgres.target import Target
from pipeline.postgres.waits import WaitTable
from pipeline.recognition import RestoreRecognition
from pipeline.redis.connection import connect as connect_redis
from pipeline.redis.history import StreamsHistory
from pipeline.redis.streams import PartitionStreams
from pipeline.relay import Relay
from pipeline.release import Releaser
from pipeline.retention import Retention
from pipeline.room import Limits
from pipeline.rules.cache import RuleSource
from pipeline.rules.compiled import CompiledRuleSource
from pipeline.topology import RELAY, Step
from pipeline.upkeep import Upkeeps
from pipeline.waits import WaitReleaser
from pipeline.worker import Worker
from stages.awaited import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import redis

    from pipeline.metrics import Metrics
    from pipeline.process import Process
    from pipeline.settings import Settings


def check_servers(settings: Settings) -> None:
    """Whether both servers can be used at all: what is wrong at the start is the operator's to mend.

    Later the same errors are outages, and are waited out. Raises ConfigurationError and its kin.
    """
    check_session(settings)
    with told(), contextlib.closing(connect_postgres(settings, "check")) as connection:
        require_migrated(connection)
        _require_partitions(connection, settings.partitions)
    connect_redis(settings).close()


def _require_partitions(connection: psycopg.Connection, partitions: int) -> None:
    """Another number would send records to other partitions, past changes that wait in the old ones."""
    row = connection.execute(load("lease")["partitions"]).fetchone()
    begun = int(row[0]) if row else 0
    if begun not in (0, partitions):
        raise ConfigurationError(
            f"ORGSTREAM_PARTITIONS is {partitions}, but this database was begun with {begun} partitions. "
            f"Set ORGSTREAM_PARTITIONS={begun}."
        )


@contextlib.contextmanager
def open_relay(settings: Settings, process: Process, metrics: Metrics) -> Iterator[Relay]:
    """A relay on connections of its own. Raises ConfigurationError, Failure, ServerUnreachable."""
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(contextlib.closing(connect_postgres(settings, "relay")))
        require_migrated(connection)
        client = stack.enter_context(contextlib.closing(connect_redis(settings)))
        table = PostgresLeaseTable(connection)
        leases = Leases(table, process, stages=[RELAY], partitions=1, seconds=settings.lease_seconds)
        limits = Limits(
            settings.partitions, settings.relay_batch, settings.stream_max_entries, settings.stream_max_bytes
        )
        stack.callback(_leave, leases)
        outbox, positions = PostgresOutbox(connection), PostgresPositions(connection)
        yield Relay(
            outbox,
            positions,
            PartitionStreams(client),
            leases,
            limits,
            metrics=metrics,
            upkeep=upkeep_of(connection, settings, metrics),
            recognition=recognition_of(connection, client, settings.partitions),
        )


def upkeep_of(connection: psycopg.Connection, settings: Settings, metrics: Metrics) -> Upkeeps:
    """What a relay on this connection keeps up beside relaying."""
    return Upkeeps(
        Retention(connection, settings.retention, metrics=metrics),
        DeliveryWatch(connection, settings.retention, settings.partitions, metrics=metrics),
    )


def recognition_of(
    connection: psycopg.Connection, client: redis.Redis, partitions: int
) -> RestoreRecognition:
    """How a relay on these servers recognises a restore."""
    return RestoreRecognition(
        Foundation(connection), PostgresPositions(connection), StreamsHistory(client, partitions)
    )


@contextlib.contextmanager
def open_worker(
    settings: Settings, process: Process, steps: Sequence[Step], metrics: Metrics, pace: Pace
) -> Iterator[Worker]:
    """A worker of these steps on connections of its own; the pace outlives them. Raises like `open_relay`."""
    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(contextlib.closing(connect_postgres(settings, "worker")))
        require_migrated(connection)
        client = stack.enter_context(contextlib.closing(connect_redis(settings)))
        stages = [step.stage for step in steps]
        leases = Leases(
            PostgresLeaseTable(connection),
            process,
            stages=stages,
            partitions=settings.partitions,
            seconds=settings.lease_seconds,
        )
        stack.callback(_leave, leases)
        target, releaser = None, None
        if stages[-1] == "apply":
            target, releaser = target_of(connection, process, settings, leases, pace)
        yield Worker(
            PostgresPositions(connection),
            PartitionStreams(client),
            leases,
            CompiledRuleSource(RuleSource(lambda: connect_postgres(settings, "rules"), client)),
            steps,
            consumer=process.id,
            batch=settings.worker_batch,
            target=target,
            releaser=releaser,
            metrics=WorkerMetrics(metrics, stages),
        )


def pace_of(settings: Settings) -> Pace:
    """How much one apply transaction takes on: what is done in half a lease."""
    return Pace(settings.lease_seconds / 2)


def target_of(
    connection: psycopg.Connection, process: Process, settings: Settings, leases: Leases, pace: Pace
) -> tuple[Target, Releaser]:
    """Where the run of a worker with `apply` ends: they share what they know of holds."""
    holds = KnownHolds(connection)
    steps = Steps([Links(connection), Lookups(connection), Parents(connection), Conflicts(connection)])
    waits = WaitTable(connection, settings.wait_timeout)
    altered = AlteredTables(connection, holds)
    desk = LetterDesk(connection, process.id, holds, steps)
    target = Target(
        connection,
        process.id,
        holds,
        breaker=settings.breaker_letters,
        pace=pace,
        hold_on=leases.hold_on,
        steps=steps,
        echoes=Echoes(connection, Patience(settings.echo_timeout, settings.echo_rounds)),
        guard=DeleteGuard(connection, holds),
        waits=waits,
        altered=altered,
    )
    waiting = WaitReleaser(connection, target, holds)
    return target, Releaser(connection, target, desk, waiting, altered)


def _leave(leases: Leases) -> None:
    """Hand the leases back; where Postgres is away they run out by themselves."""
    with contextlib.suppress(psycopg.Error):
        leases.leave()
