"""How the whole pipeline stands: read from Postgres, with what lies in Redis where it answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import redis

from pipeline.postgres.queries import load
from pipeline.redis import survey
from pipeline.topology import STREAMS

if TYPE_CHECKING:
    import psycopg


class ProcessStatus(msgspec.Struct, frozen=True):
    """A living process."""

    id: str
    kind: str
    stages: list[str]
    metrics_address: str | None
    uptime_seconds: float
    partitions: int
    name: str = ""  # what its metrics are marked with; empty while it has told none
    memory_bytes: int | None = None


class PartitionStatus(msgspec.Struct, frozen=True):
    """How far a partition is applied, and by whom."""

    partition: int
    holder: str | None
    position: str
    applied: bool


class StageStatus(msgspec.Struct, frozen=True):
    """The relay, or a stage. `per_second` is of changes or entries, over about the last minute."""

    stage: str
    partitions_held: int
    partitions: int
    lag: int  # entries not yet delivered to it
    pending: int  # delivered, not acknowledged
    per_second: float


class RuleStatus(msgspec.Struct, frozen=True):
    """A live rule: its writes per second over about the last minute, and the changes set aside under it."""

    rule: str
    source: str
    target: str
    per_second: float
    dead: int
    held: int  # behind a dead letter, or behind a change that waits
    paused: int  # because the rule is paused
    waiting: int = 0  # for a record that they refer to
    approval: int = 0  # of a mass delete: its deletes, and what came after them

    @property
    def aside(self) -> int:
        """How many changes are set aside."""
        return self.dead + self.held + self.paused + self.waiting + self.approval


class LetterGroup(msgspec.Struct, frozen=True):
    """Open dead letters of one rule and cause."""

    rule: str
    cause: str
    count: int


class DeliveryStatus(msgspec.Struct, frozen=True):
    """An org behind Heroku Connect: what we wrote there, as far as Salesforce has not accepted it."""

    org: str
    pending: int  # entries of the trigger log
    oldest_seconds: float | None  # how long the first of them has waited
    refused: int  # records


class Status(msgspec.Struct, frozen=True):
    """The pipeline at one moment. Counts are of changes, but `pending` counts stream entries."""

    caught_up: bool
    backlog: int  # captured, not yet relayed
    pending: int | None  # relayed, not yet finished; None while Redis does not answer
    held: int
    waiting: int
    dead: int
    lag_seconds: float
    rules_version: int
    rules: int
    processes: list[ProcessStatus]
    partitions: list[PartitionStatus]
    streams: dict[str, int]
    dead_letters: list[LetterGroup]
    paused_rules: dict[str, str]  # rule -> why
    stages: list[StageStatus] = []  # empty while Redis does not answer
    by_rule: list[RuleStatus] = []
    deliveries: list[DeliveryStatus] = []  # of each org that rules write through Heroku Connect


def read_status(
    connection: psycopg.Connection, client: redis.Redis | None, *, lease_seconds: float, partitions: int
) -> Status:
    """Look everywhere once. Raises psycopg.Error; a Redis that does not answer is told as None."""
    queries = load("status")
    backlog, oldest = connection.execute(queries["backlog"]).fetchone() or (0, None)
    progress = connection.execute(queries["progress"]).fetchall()
    behind = [row for row in progress if not row[7]]
    letters = [LetterGroup(*row) for row in connection.execute(queries["letters"]).fetchall()]
    processes = connection.execute(queries["processes"], {"seconds": 2 * lease_seconds}).fetchall()
    version, _, rules = connection.execute(queries["rules"]).fetchone() or (0, None, 0)
    _, held, paused, waiting = connection.execute(queries["totals"]).fetchone() or (0, 0, 0, 0)
    lengths = _lengths(client, partitions)
    return Status(
        caught_up=backlog == 0 and not behind,
        backlog=backlog,
        pending=None if lengths is None else sum(lengths.values()),
        held=held + paused,
        waiting=waiting,
        dead=sum(group.count for group in letters),
        lag_seconds=_lag([oldest, *(row[6] for row in behind)]) if backlog or behind else 0.0,
        rules_version=version,
        rules=rules,
        processes=[ProcessStatus(*row) for row in processes],
        partitions=[
            PartitionStatus(row[2], row[3], f"{row[4]}-{row[5]}", row[7])
            for row in progress
            if row[2] is not None  # no worker has ever run
        ],
        streams=lengths or {},
        dead_letters=letters,
        paused_rules=dict(connection.execute(queries["paused"]).fetchall()),
        deliveries=[DeliveryStatus(*row) for row in connection.execute(queries["deliveries"]).fetchall()],
    )


def _lengths(client: redis.Redis | None, partitions: int) -> dict[str, int] | None:
    if client is None:
        return None
    try:
        return survey.lengths(client, partitions, STREAMS)
    except redis.RedisError:
        return None


def _lag(times: list[datetime | None]) -> float:
    known = [time for time in times if time is not None]
    return max(0.0, (datetime.now(UTC) - min(known)).total_seconds()) if known else 0.0
