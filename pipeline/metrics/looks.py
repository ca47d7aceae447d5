"""Metrics looked up when somebody scrapes: the state of the queue, the streams and what is set aside.

The active relay serves them, and no other process: so a sum over processes means something.
"""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import psycopg
import redis

from pipeline.errors import ServerUnreachable
from pipeline.metrics import catalog
from pipeline.metrics.registry import Reading
from pipeline.postgres.connection import connect as connect_postgres
from pipeline.postgres.queries import load
from pipeline.redis.connection import connect as connect_redis
from pipeline.redis.survey import survey
from pipeline.topology import TOPOLOGY
from stages.reject import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.metrics.registry import Look
    from pipeline.settings import Settings


class _Stamp(msgspec.Struct):
    """The one field of a change that matters here."""

    captured_at: str | None = None


class _Entry(msgspec.Struct):
    """A stream entry's document: a change, or a passage that holds one."""

    captured_at: str | None = None
    change: _Stamp | None = None


def look_of(settings: Settings) -> Look:
    """What the active relay adds to its metrics, on connections of its own for each scrape."""

    def look() -> Iterable[Reading]:
        try:
            with contextlib.closing(connect_postgres(settings, "metrics")) as connection:
                readings = list(_in_postgres(connection))
            with contextlib.closing(connect_redis(settings)) as client:
                readings += _in_redis(client, settings.partitions)
        except (psycopg.Error, redis.RedisError) as error:
            raise ServerUnreachable(f"a server did not answer: {type(error).__name__}") from error
        return readings

    return look


def _in_postgres(connection: psycopg.Connection) -> Iterator[Reading]:
    queries = load("status")
    captured, held, paused = connection.execute(queries["totals"]).fetchone() or (0, 0, 0)
    yield Reading(catalog.CAPTURED_CHANGES, captured)
    yield Reading(catalog.HELD_CHANGES, held + paused)
    yield Reading(catalog.WAITING_CHANGES, 0)  # nothing waits for parents yet
    backlog, oldest = connection.execute(queries["backlog"]).fetchone() or (0, None)
    yield Reading(catalog.OUTBOX_PENDING, backlog)
    if oldest is not None:
        yield Reading(catalog.OUTBOX_OLDEST, oldest.timestamp())
    times = [row[6] for row in connection.execute(queries["progress"]).fetchall()]
    if times and all(time is not None for time in times):
        yield Reading(catalog.WATERMARK, min(times).timestamp())
    letters: dict[str, int] = {}
    for _, cause, count in connection.execute(queries["letters"]).fetchall():
        letters[cause] = letters.get(cause, 0) + count
    for cause in Cause:
        yield Reading(catalog.DEAD_LETTERS_NOW, letters.get(cause, 0), {"error": cause})


def _in_redis(client: redis.Redis, partitions: int) -> Iterator[Reading]:
    for step in TOPOLOGY:
        state = survey(client, step, partitions)
        labels = {"stage": step.stage}
        yield Reading(catalog.RETAINED_ENTRIES, state.entries, labels)
        yield Reading(catalog.STREAM_MEMORY, state.size, labels)
        yield Reading(catalog.PENDING_ENTRIES, state.pending, labels)
        # What is finished is trimmed, so the rest was not delivered. Redis's own count errs after a trim.
        yield Reading(catalog.LAG_ENTRIES, max(0, state.entries - state.pending), labels)
        stamps = [stamp for stamp in map(_stamp, state.first) if stamp is not None]
        if stamps:
            yield Reading(catalog.OLDEST_PENDING, min(stamps), labels)


def _stamp(document: bytes) -> float | None:
    """When the change of an entry was captured; None for a mark."""
    try:
        entry = msgspec.json.decode(document, type=_Entry)
        text = entry.captured_at or (entry.change.captured_at if entry.change else None)
        return datetime.fromisoformat(text).timestamp() if text else None
    except (msgspec.DecodeError, ValueError):
        return None
