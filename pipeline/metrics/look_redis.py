"""What lies in the streams, and how full Redis is, as readings of looked-up metrics."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from pipeline.metrics import standing
from pipeline.metrics.registry import Reading
from pipeline.redis.survey import survey
from pipeline.topology import TOPOLOGY

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from pipeline.settings import Settings


class _Stamp(msgspec.Struct):
    """The one field of a change that matters here."""

    captured_at: str | None = None


class _Entry(msgspec.Struct):
    """A stream entry's document: a change, or a passage that holds one."""

    captured_at: str | None = None
    change: _Stamp | None = None


def look_in_redis(client: redis.Redis, settings: Settings) -> Iterator[Reading]:
    """The streams by stage, and Redis's memory. Raises redis.RedisError."""
    memory: dict[str, Any] = client.info("memory")
    yield Reading(standing.REDIS_MEMORY, memory["used_memory"])
    yield Reading(standing.REDIS_MEMORY_LIMIT, memory.get("maxmemory", 0))
    yield Reading(standing.STREAM_MEMORY_LIMIT, settings.stream_max_bytes)
    for step in TOPOLOGY:
        state = survey(client, step, settings.partitions)
        labels = {"stage": step.stage}
        yield Reading(standing.RETAINED_ENTRIES, state.entries, labels)
        yield Reading(standing.STREAM_MEMORY, state.size, labels)
        yield Reading(standing.PENDING_ENTRIES, state.pending, labels)
        # What is finished is trimmed, so the rest was not delivered. Redis's own count errs after a trim.
        yield Reading(standing.LAG_ENTRIES, max(0, state.entries - state.pending), labels)
        stamps = [stamp for stamp in map(_stamp, state.first) if stamp is not None]
        if stamps:
            yield Reading(standing.OLDEST_PENDING, min(stamps), labels)


def _stamp(document: bytes) -> float | None:
    """When the change of an entry was captured, or a watermark sent; None where that cannot be read."""
    try:
        if not document.startswith(b"{"):
            return datetime.fromisoformat(document.decode()).timestamp()
        entry = msgspec.json.decode(document, type=_Entry)
        text = entry.captured_at or (entry.change.captured_at if entry.change else None)
        return datetime.fromisoformat(text).timestamp() if text else None
    except (msgspec.DecodeError, ValueError):
        return None
