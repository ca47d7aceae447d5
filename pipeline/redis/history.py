"""Whose streams these are: Redis may hold those of another database, or of a time that is undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pipeline.redis import keys
from pipeline.topology import RELAY, STAGES, STREAMS

if TYPE_CHECKING:
    import redis


class StreamsHistory:
    """What the streams of all partitions tell of their past. Every method raises redis.RedisError."""

    def __init__(self, client: redis.Redis, partitions: int) -> None:
        self._client = client
        self._partitions = range(partitions)

    def known(self) -> str | None:
        """The name of the history they belong to; None where nobody has said."""
        name = cast("bytes | None", self._client.get(keys.HISTORY))
        return None if name is None else name.decode()

    def remember(self, name: str) -> None:
        """Say which it is."""
        self._client.set(keys.HISTORY, name)

    def furthest(self) -> tuple[int, int]:
        """The highest tick and the highest term that they have seen; 0 where none."""
        pipe = self._client.pipeline(transaction=False)
        pipe.get(keys.PUBLISHED)
        for partition in self._partitions:
            pipe.hmget(keys.fence(partition), "appended", RELAY, *STAGES)
        published, *fences = pipe.execute()
        ticks = [
            int((published or b"0").split()[0]),
            *(int((fence[0] or b"0").split(b"-")[0]) for fence in fences),
        ]
        terms = [int(term or 0) for fence in fences for term in fence[1:]]
        return max(ticks), max(terms, default=0)

    def discard(self, term: int) -> None:
        """Drop every stream and rule set. Who works with a lower term of the relay cannot make them again."""
        rules = list(self._client.scan_iter(match=keys.RULES))
        pipe = self._client.pipeline(transaction=True)
        pipe.delete(keys.PUBLISHED, *rules)
        for partition in self._partitions:
            fence = keys.fence(partition)
            pipe.delete(fence, *(keys.stream(partition, name) for name in STREAMS))
            pipe.hset(fence, RELAY, str(term))
        pipe.execute()
