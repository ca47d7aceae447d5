"""A Redis that forgets, fills up, trims, hangs up or is old: nothing is lost or repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.redis import keys
from pipeline.redis.streams import PartitionStreams
from pipeline.status import read_status
from pipeline.topology import STREAMS

if TYPE_CHECKING:
    import redis

    from pipeline.relay import Relay
    from pipeline.worker import Worker
    from tests.fixtures.deployment import Deployment
    from tests.fixtures.world import World
    from tests.scenarios.conftest import Story

OLDEST = (7, 2)


def test_entries_that_a_failover_lost_are_published_again(story: Story) -> None:
    """The replica that takes over lacks the last entries, and everything else that happened since."""
    world = story.world
    relay, worker = world.relay(), world.worker()
    world.settle(relay, worker)
    story.write_many(5)
    world.settle(relay)
    every = [key for key in world.redis.keys("orgstream:*") if b"rules" not in key]
    replica = {key: world.redis.dump(key) for key in every}
    story.write_many(20, "later ")
    world.settle(relay)
    before = world.outstanding()
    for key, value in replica.items():
        assert isinstance(value, bytes)
        world.redis.restore(key, 0, value, replace=True)
    assert world.outstanding() < before
    story.pass_time(relay, worker)
    assert story.past("k19") == ["LATER 19"]
    story.require_replicated(25)


def test_a_redis_lost_as_a_whole_is_made_again_from_postgres(story: Story) -> None:
    world = story.world
    relay, worker = world.relay(), world.worker()
    story.write_many(10)
    world.settle(relay, worker)
    story.write_many(20, "later ")
    relay.step()
    world.redis.flushall()
    world.lose_leases()
    relay, worker = world.relay(), world.worker()  # all dynos restart
    story.pass_time(relay, worker)
    assert [story.past(f"k{n}") for n in (0, 19)] == [["N0", "LATER 0"], ["LATER 19"]]
    story.require_replicated(30)


def test_while_redis_is_full_the_queue_grows_and_nothing_is_lost(story: Story) -> None:
    world = story.world
    relay, worker = world.relay(), world.worker()
    world.settle(relay, worker)
    world.redis.config_set("maxmemory", 1)
    try:
        story.write_many(10)
        world.settle(relay, worker)
        assert relay.waiting
        status = read_status(world.app, None, lease_seconds=5, partitions=4)
        assert (status.backlog, status.caught_up) == (10, False)
    finally:
        world.redis.config_set("maxmemory", 0)
    world.settle(relay, worker)
    story.require_replicated(10)


class Dying(PartitionStreams):
    """Streams of a worker that dies before it has an effect."""

    def acknowledge(self, *_: Any) -> None:
        raise ConnectionResetError


def test_an_entry_trimmed_before_it_was_finished_comes_from_postgres_again(story: Story) -> None:
    world = story.world
    relay, dying = world.relay(), world.worker("filter,match", streams=Dying(world.client()))
    story.write_many(10)
    world.settle(relay)
    with pytest.raises(ConnectionResetError):
        world.settle(dying)  # has read them
    for partition in range(4):
        world.redis.xtrim(keys.stream(partition, "changes"), maxlen=0, approximate=False)
    world.lose_leases()
    story.pass_time(relay, world.worker("filter,match"), world.worker("transform,apply"))
    story.require_replicated(10)


def test_a_connection_that_was_idle_for_too_long_is_opened_again(deployment: Deployment) -> None:
    relay, worker = deployment.start("relay"), deployment.start("worker")
    deployment.write()
    deployment.await_all()
    for _ in range(3):
        assert hang_up(deployment.redis) >= 2  # as the platform does after 300 s
        deployment.write()
        deployment.await_all()
    assert deployment.count("applied") == deployment.count("change_queue") == 8
    assert [process.stop() for process in (relay, worker)] == [0, 0]  # they are the ones that we started


def hang_up(client: redis.Redis) -> int:
    """Close every connection of our processes; how many."""
    ours = [each for each in client.client_list() if each["name"] == "orgstream"]
    return sum(int(client.client_kill_filter(_id=each["id"])) for each in ours)


def test_no_command_newer_than_the_oldest_server_is_used(world: World) -> None:
    """All that a life holds: a start, a batch, a loss, a take-over, fused and split."""
    world.redis.config_resetstat()
    world.apply_rules()
    for stages in (["filter,match,transform,apply"], ["filter,match", "transform,apply"]):
        movers: list[Relay | Worker] = [world.relay(), *(world.worker(names) for names in stages)]
        world.app.execute("INSERT INTO emea.account VALUES (%s, 'n', 'Rome', 1, true)", [len(stages)])
        world.settle(*movers)
        world.redis.delete(*(keys.stream(1, name) for name in STREAMS))
        world.clock.advance()
        world.settle(*movers)
        world.lose_leases()
        world.clock.advance()
    used = [name.removeprefix("cmdstat_") for name in world.redis.info("commandstats")]
    assert {"xreadgroup", "evalsha", "xautoclaim"} <= set(used)
    assert [name for name in used if since(world.redis, name) > OLDEST] == []


def since(client: redis.Redis, command: str) -> tuple[int, ...]:
    """The version of the server that brought a command, as the server itself documents it."""
    reply: Any = client.execute_command("COMMAND DOCS", command)  # type: ignore[no-untyped-call]
    documented = dict(zip(reply[1][::2], reply[1][1::2], strict=True))
    return tuple(int(part) for part in documented[b"since"].decode().split(".")[:2])
