"""Looking at the streams from outside: how much lies in them, how much of it is being worked on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pipeline.redis import keys
from pipeline.topology import STREAMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import redis

    from pipeline.topology import Step


class StreamState(msgspec.Struct, frozen=True):
    """A step's input, all partitions together."""

    entries: int
    pending: int  # delivered and not acknowledged
    size: int  # in bytes
    first: list[bytes]  # the oldest document of each partition that has one


def survey(client: redis.Redis, step: Step, partitions: int) -> StreamState:
    """Look at what a step reads. Raises redis.RedisError; a stream that is not there counts as empty."""
    pipe = client.pipeline(transaction=False)
    for partition in range(partitions):
        name = keys.stream(partition, step.reads)
        pipe.xlen(name)
        pipe.memory_usage(name, samples=3)
        pipe.xpending(name, step.stage)
        pipe.xrange(name, count=1)
    replies: list[Any] = pipe.execute(raise_on_error=False)
    lengths, sizes, pending, firsts = (replies[place::4] for place in range(4))
    return StreamState(
        entries=sum(length for length in lengths if isinstance(length, int)),
        pending=sum(group["pending"] for group in pending if isinstance(group, dict)),
        size=sum(size for size in sizes if isinstance(size, int)),
        first=[
            document
            for entries in firsts
            if isinstance(entries, list)
            for _, fields in entries
            for document in fields.values()
        ],
    )


def lengths(client: redis.Redis, partitions: int, names: Sequence[str]) -> dict[str, int]:
    """Entries by stream name, all partitions together. Raises redis.RedisError."""
    pipe = client.pipeline(transaction=False)
    for name in names:
        for partition in range(partitions):
            pipe.xlen(keys.stream(partition, name))
    replies: list[int] = pipe.execute()
    return {
        name: sum(replies[place * partitions : (place + 1) * partitions]) for place, name in enumerate(names)
    }


def outstanding(client: redis.Redis, partitions: int) -> tuple[int, int]:
    """Entries in all streams, and the bytes they take. Raises redis.RedisError."""
    pipe = client.pipeline(transaction=False)
    for name in [keys.stream(p, name) for p in range(partitions) for name in STREAMS]:
        pipe.xlen(name)
        pipe.memory_usage(name, samples=3)
    replies = pipe.execute()
    return sum(replies[::2]), sum(size or 0 for size in replies[1::2])


def are_empty(client: redis.Redis, partitions: int) -> bool:
    """Whether nothing lies in any stream. Raises redis.RedisError."""
    first, *others = STREAMS  # asked often while the relay waits, and mostly the first tells
    return not any(sum(lengths(client, partitions, names).values()) for names in ((first,), others))
