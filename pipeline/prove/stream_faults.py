"""Faults of what lies in Redis: keys, groups and entries that go, and entries that come a second time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from pipeline.prove.fault import Fault, NotNow
from pipeline.redis import keys
from pipeline.redis.entry import order_of
from pipeline.topology import STREAMS, TOPOLOGY

if TYPE_CHECKING:
    import random

    from pipeline.prove.world import World

SERVER: Final = "redis"
_THIEF: Final = "thief"
_GROUPS: Final = {step.reads: step.stage for step in TOPOLOGY}


def take_sample(world: World, rng: random.Random) -> None:
    """Remember entries of a stream, to add them once more later. Raises redis.RedisError."""
    name = keys.stream(rng.randrange(world.settings.partitions), rng.choice(STREAMS))
    entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", world.client.xrange(name, count=20))
    world.sample.extend((name, fields) for _, fields in entries)


def _all_keys(world: World) -> list[str]:
    partitions = range(world.settings.partitions)
    streams = [keys.stream(partition, name) for partition in partitions for name in STREAMS]
    return [*streams, *map(keys.fence, partitions), keys.PUBLISHED]


def _some_stream(world: World, rng: random.Random, *, filled: bool) -> tuple[str, str]:
    """A stream's key and its group."""
    partitions = range(world.settings.partitions)
    names = [(keys.stream(p, name), group) for p in partitions for name, group in _GROUPS.items()]
    rng.shuffle(names)
    for name, group in names:
        if world.client.xlen(name) if filled else world.client.exists(name):
            return name, group
    raise NotNow


def _delete_keys(world: World, rng: random.Random) -> None:
    world.client.delete(*rng.sample(_all_keys(world), rng.randint(1, 5)))


def _delete_groups(world: World, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 4)):
        world.client.xgroup_destroy(*_some_stream(world, rng, filled=False))


def _trim(world: World, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 4)):
        name, _ = _some_stream(world, rng, filled=True)
        length = world.client.xlen(name)
        world.client.xtrim(name, maxlen=rng.randint(0, length // 2), approximate=False)


def _duplicate(world: World, rng: random.Random) -> None:
    if not world.sample:
        raise NotNow
    for _ in range(rng.randint(1, 8)):
        name, fields = rng.choice(world.sample)
        world.client.xadd(name, cast("Any", fields), id=_next_id(world, rng, name))


def _next_id(world: World, rng: random.Random, name: str) -> str:
    """Mostly one that follows the last, as if the relay had published it; else one of Redis's own."""
    if rng.random() < 0.1 or not world.client.exists(name):
        return "*"
    info = world.client.xinfo_stream(name)
    tick, ordinal = order_of(info["last-generated-id"])
    return f"{tick}-{ordinal + 1}"


def _claim(world: World, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 4)):
        name, group = _some_stream(world, rng, filled=True)
        pending = cast("list[dict[str, Any]]", world.client.xpending_range(name, group, "-", "+", 1_000))
        if pending:
            world.client.xclaim(name, group, _THIEF, 0, [entry["message_id"] for entry in pending])


def _rewind(world: World, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 4)):
        name, group = _some_stream(world, rng, filled=True)
        world.client.xgroup_setid(name, group, "0")


STREAM_FAULTS: Final = {
    "redis-keys": Fault("single streams, fences and notes are deleted", _delete_keys, SERVER),
    "redis-groups": Fault("consumer groups are deleted", _delete_groups, SERVER),
    "redis-trim": Fault("streams are trimmed by half or more", _trim, SERVER),
    "redis-duplicate": Fault("old entries are added once more, under new ids", _duplicate, SERVER),
    "redis-claim": Fault("what is pending is claimed by a consumer that does nothing", _claim, SERVER),
    "redis-rewind": Fault("groups are set back, so that entries are delivered twice", _rewind, SERVER),
}
