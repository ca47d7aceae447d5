"""The status with all its details, read on connections of its own: for `status`, `top` and `web`."""

from __future__ import annotations

import contextlib
import zlib
from typing import TYPE_CHECKING

import msgspec
import redis

from pipeline.errors import OrgstreamError
from pipeline.log import get_logger
from pipeline.metrics import catalog
from pipeline.metrics.telling import Telling
from pipeline.postgres.connection import connect as connect_postgres
from pipeline.postgres.connection import require_migrated
from pipeline.postgres.queries import load
from pipeline.redis.board import Board
from pipeline.redis.connection import connect as connect_redis
from pipeline.redis.survey import survey
from pipeline.rules import store
from pipeline.status import RuleStatus, StageStatus, Status, read_status
from pipeline.topology import RELAY, TOPOLOGY

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

    from pipeline.settings import Settings
    from pipeline.status import ProcessStatus

_log = get_logger()


def observe(settings: Settings) -> Status:
    """Look everywhere once. A Redis that does not answer leaves out what only it knows.

    Raises psycopg.Error, ServerUnreachable (Postgres's), NotMigrated, ConfigurationError.
    """
    with connect_postgres(settings, "status") as connection, contextlib.ExitStack() as stack:
        require_migrated(connection)
        client = _client(settings, stack)
        status = read_status(
            connection,
            client,
            lease_seconds=settings.lease_seconds,
            partitions=settings.partitions,
        )
        tellings: Mapping[str, Telling] = {}
        stages: list[StageStatus] = []
        if client is not None:
            with contextlib.suppress(redis.RedisError):
                tellings = read_tellings(client)
                stages = _stages(connection, client, settings.partitions, tellings)
        return msgspec.structs.replace(
            status,
            stages=stages,
            by_rule=_by_rule(connection, tellings),
            processes=[_named(process, tellings) for process in status.processes],
        )


def read_tellings(client: redis.Redis) -> dict[str, Telling]:
    """What the processes tell of themselves, by their names. Raises redis.RedisError."""
    found = {}
    for name, document in Board(client).read().items():
        with contextlib.suppress(msgspec.DecodeError, zlib.error):  # another version's, during a deploy
            found[name] = Telling.decode(document)
    return found


def _client(settings: Settings, stack: contextlib.ExitStack) -> redis.Redis | None:
    try:
        return stack.enter_context(contextlib.closing(connect_redis(settings)))
    except OrgstreamError as error:
        _log.warning("Redis does not answer", action="status_without_redis", error=error)
        return None


def _stages(
    connection: psycopg.Connection, client: redis.Redis, partitions: int, tellings: Mapping[str, Telling]
) -> list[StageStatus]:
    held = {row[0]: row[2] for row in connection.execute(load("observe")["partitions"]).fetchall()}
    handled = _rates(tellings, catalog.ENTRIES_HANDLED.name)
    relayed = _rates(tellings, catalog.RELAYED_CHANGES.name).get("", 0.0)
    stages = [StageStatus(RELAY, held.get(RELAY, 0), 1, 0, 0, relayed)]
    for step in TOPOLOGY:
        state = survey(client, step, partitions)
        undelivered = max(0, state.entries - state.pending)
        speed = handled.get(step.stage, 0.0)
        stages.append(
            StageStatus(step.stage, held.get(step.stage, 0), partitions, undelivered, state.pending, speed)
        )
    return stages


def _by_rule(connection: psycopg.Connection, tellings: Mapping[str, Telling]) -> list[RuleStatus]:
    rules = store.live(connection)
    written = _rates(tellings, catalog.WRITES.name)
    dead: dict[str, int] = {}
    for name, _, count in connection.execute(load("status")["letters"]).fetchall():
        dead[name] = dead.get(name, 0) + count
    aside = {
        (name, reason): count
        for name, reason, count, _ in connection.execute(load("observe")["held"]).fetchall()
    }
    waiting: dict[str, int] = dict(connection.execute(load("status")["waiting"]).fetchall())
    return [
        RuleStatus(
            rule=rule.name,
            source=str(rule.source),
            target=str(rule.target),
            per_second=written.get(rule.name, 0.0),
            dead=dead.get(rule.name, 0),
            held=aside.get((rule.name, "held"), 0),
            paused=aside.get((rule.name, "paused"), 0),
            waiting=waiting.get(rule.name, 0),
            approval=aside.get((rule.name, "approval"), 0),
        )
        for rule in (rules.rules if rules else ())
    ]


def _rates(tellings: Mapping[str, Telling], metric: str) -> dict[str, float]:
    sums: dict[str, float] = {}
    for telling in tellings.values():
        for key, rate in telling.rates.get(metric, {}).items():
            sums[key] = sums.get(key, 0.0) + rate
    return sums


def _named(process: ProcessStatus, tellings: Mapping[str, Telling]) -> ProcessStatus:
    for name, telling in tellings.items():
        if telling.id == process.id:
            memory = telling.value("process_resident_memory_bytes")
            return msgspec.structs.replace(
                process, name=name, memory_bytes=None if memory is None else int(memory)
            )
    return process
