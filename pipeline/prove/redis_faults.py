"""Faults of the Redis server: it dies with and without its data, it forgets, it is full, it stands still."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

from pipeline.prove.fault import Cure, Fault

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.prove.world import World

SERVER: Final = "redis"


def _data(world: World) -> Path:
    return world.folder / "redis" / "dump.rdb"


def _die(world: World) -> None:
    world.away.add(SERVER)
    world.redis.kill()


def _come_back(world: World) -> Callable[[], None]:
    def start() -> None:
        world.redis.start()
        _data(world).unlink(missing_ok=True)
        world.away.discard(SERVER)

    return start


def _kill(world: World, rng: random.Random) -> Cure:
    _die(world)
    return Cure(rng.uniform(0.0, 1.0), _come_back(world))


def _revive(world: World, rng: random.Random) -> Cure:
    world.client.save()
    _die(world)
    return Cure(rng.uniform(0.0, 1.0), _come_back(world))


def _return(world: World, rng: random.Random) -> Cure:
    world.client.save()

    def return_() -> None:
        _die(world)
        _come_back(world)()

    return Cure(rng.uniform(0.1, 2.0), return_)


def _pause(world: World, rng: random.Random) -> Cure:
    pid = world.redis.pid
    world.away.add(SERVER)
    os.kill(pid, signal.SIGSTOP)

    def resume() -> None:
        os.kill(pid, signal.SIGCONT)
        world.away.discard(SERVER)

    return Cure(rng.uniform(0.2, 1.5) * world.settings.lease_seconds, resume)


def _flush(world: World, _: random.Random) -> None:
    world.client.flushall()


def _fill(world: World, rng: random.Random) -> Cure:
    used = world.client.info("memory")["used_memory"]
    world.client.config_set("maxmemory", int(used * rng.uniform(0.9, 1.05)))

    def empty() -> None:
        if SERVER not in world.away:  # else it comes back without the limit
            world.client.config_set("maxmemory", 0)

    return Cure(rng.uniform(0.2, 2.0), empty)


def _cut(world: World, _: random.Random) -> None:
    world.client.client_kill_filter(_type="normal", skipme=True)


REDIS_FAULTS: Final = {
    "redis-kill": Fault("Redis is killed (-9) and comes back empty", _kill, SERVER),
    "redis-revive": Fault("Redis is killed (-9) and comes back with its data", _revive, SERVER),
    "redis-return": Fault("Redis is killed (-9) and comes back with data of a while ago", _return, SERVER),
    "redis-pause": Fault("Redis is stopped for a while", _pause, SERVER),
    "redis-flush": Fault("Redis is emptied", _flush, SERVER),
    "redis-full": Fault("Redis has no memory left for a while", _fill, SERVER),
    "redis-cut": Fault("every connection to Redis is ended", _cut, SERVER),
}
