"""Redis loses some or all of it, or somebody meddles with it: nothing is lost or repeated at the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.redis import keys
from pipeline.redis.streams import PartitionStreams
from pipeline.topology import STREAMS
from tests.integration.worker.conftest import account, ledger, letters

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.relay import Relay
    from pipeline.worker import Worker
    from tests.fixtures.world import World

COUNT = 40
FUSED = ("filter,match,transform,apply",)
SPLIT = ("filter,match", "transform,apply")


@pytest.fixture(autouse=True)
def _log_of_writes(world: World) -> None:
    """Each write that reaches a target row, so that a repeated one is seen."""
    world.app.execute("""
        CREATE TABLE public.written (ext_id text, name text);
        CREATE FUNCTION public.log() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO public.written VALUES (NEW.ext_id, NEW.name); RETURN NULL; END $$;
        CREATE TRIGGER log AFTER INSERT OR UPDATE ON us.account FOR EACH ROW EXECUTE FUNCTION public.log();
        """)


def load(world: World, first: int = 0) -> None:
    for number in range(first, first + COUNT):
        account(world, f"k{number}", f"n{number}")


def check(world: World, count: int) -> None:
    """Each of the first `count` records arrived, by one write."""
    assert sorted(world.rows("SELECT * FROM public.written")) == sorted(
        (f"k{n}", f"N{n}") for n in range(count)
    )
    assert [row[0] for row in ledger(world)] == list(range(1, count + 1))
    assert letters(world) == []
    assert world.outstanding() == 0


def flush(world: World) -> None:
    world.redis.flushall()


def delete_streams(world: World) -> None:
    world.redis.delete(keys.stream(1, "changes"), keys.stream(2, "writes"))


def delete_fence(world: World) -> None:
    world.redis.delete(keys.fence(1))


def delete_group(world: World) -> None:
    world.redis.xgroup_destroy(keys.stream(1, "changes"), "filter")


def forget_published(world: World) -> None:
    world.redis.delete(keys.PUBLISHED)


def trim_pending(world: World) -> None:
    for partition in range(4):
        for stream in ("changes", "writes"):
            world.redis.xtrim(keys.stream(partition, stream), maxlen=0, approximate=False)


def trim_unread(world: World) -> None:
    """What is left looks as if it followed on what was read: only a count tells that something is missing."""
    for partition in range(4):
        for stream in STREAMS:
            name = keys.stream(partition, stream)
            world.redis.xtrim(name, maxlen=world.redis.xlen(name) // 2, approximate=False)


def append_foreign(world: World) -> None:
    for stream in ("changes", "kept", "writes"):
        world.redis.xadd(keys.stream(2, stream), {"change": "{}"})


def append_foreign_and_hide_it(world: World) -> None:
    id_: Any = world.redis.xadd(keys.stream(2, "changes"), {"change": "{}"})
    world.redis.xdel(keys.stream(2, "changes"), id_)


ALL_HARM = (
    flush,
    delete_streams,
    delete_fence,
    delete_group,
    forget_published,
    trim_unread,
    append_foreign,
    append_foreign_and_hide_it,
)


@pytest.mark.parametrize("stages", [FUSED, SPLIT], ids=["fused", "split"])
@pytest.mark.parametrize("harm", ALL_HARM, ids=lambda harm: harm.__name__)
def test_harm_between_steps(world: World, harm: Callable[[World], None], stages: Sequence[str]) -> None:
    relay = world.relay(batch=7, max_entries=30)
    workers = [world.worker(names, batch=8) for names in stages]
    movers: list[Relay | Worker] = [relay, *workers]
    load(world)
    for mover in [relay, relay, *movers, relay]:
        mover.step()
    harm(world)
    load(world, COUNT)
    world.settle(*movers)
    for _ in range(3):  # what is periodic comes round; a partition that was given up is made anew
        world.clock.advance(2)
        world.settle(*movers)
    check(world, 2 * COUNT)


@pytest.mark.parametrize(
    ("stages", "stream"), [(FUSED, "changes"), (SPLIT, "changes"), (SPLIT, "matched")], ids=str
)
def test_a_foreign_entry_that_a_worker_reads_first(world: World, stages: Sequence[str], stream: str) -> None:
    """Were its id taken for a position, all that the relay publishes would lie before it."""
    relay = world.relay()
    workers = [world.worker(names) for names in stages]
    world.settle(relay, *workers)
    load(world)
    world.settle(relay)
    world.redis.xadd(keys.stream(2, stream), {"change": "{}"})
    world.settle(*workers)
    for _ in range(3):
        world.clock.advance(2)
        world.settle(relay, *workers)
    check(world, COUNT)


class Dead(PartitionStreams):
    """Streams of a relay or a worker that dies before it has an effect."""

    def acknowledge(self, *_: Any) -> None:
        raise ConnectionResetError

    def append(self, *_: Any, **__: Any) -> int:
        raise ConnectionResetError


def test_pending_entries_that_somebody_trimmed(world: World) -> None:
    relay = world.relay()
    first = world.worker("filter", streams=Dead(world.client()))
    load(world)
    world.settle(relay)
    with pytest.raises(ConnectionResetError):
        world.settle(first)
    trim_pending(world)
    world.lose_leases("filter")
    rest = [world.worker(stage) for stage in ("filter", "match", "transform,apply")]
    for _ in range(3):
        world.clock.advance(2)
        world.settle(relay, *rest)
    check(world, COUNT)


def test_a_redis_that_goes_back_in_time_between_two_appends(world: World) -> None:
    """As after a crash with an append-only file of the last second: the clients connect again unasked."""
    relay = world.relay(batch=10)
    worker = world.worker()
    world.settle(relay, worker)
    names = [*(keys.stream(p, "changes") for p in range(4)), *map(keys.fence, range(4)), keys.PUBLISHED]
    with world.session() as session:
        for number in range(COUNT):
            session.execute(
                "INSERT INTO emea.account (ext_id, name, active) VALUES (%s, %s, true)",
                [f"k{number}", f"n{number}"],
            )
    relay.step()
    saved = [world.redis.dump(name) for name in names]
    relay.step()  # the second piece of one tick
    for name, value in zip(names, saved, strict=True):
        assert isinstance(value, bytes)
        world.redis.restore(name, 0, value, replace=True)
    world.settle(relay, worker)
    check(world, COUNT)


def test_what_was_said_of_a_server_before_it_was_started_anew_does_not_hold(world: World) -> None:
    streams = PartitionStreams(world.client())
    assert streams.published() is None
    streams.set_published(7)
    assert streams.published() == 7
    said: Any = world.redis.get(keys.PUBLISHED)
    world.redis.set(keys.PUBLISHED, said.split()[0] + b" another")
    assert streams.published() is None


class DeadOncePrepared(PartitionStreams):
    """Streams of a relay that dies as soon as it has made lost ones anew, which then look like empty ones."""

    def prepare(self, *arguments: Any) -> list[int]:
        super().prepare(*arguments)
        raise ConnectionResetError


@pytest.mark.parametrize("kind", [Dead, DeadOncePrepared])
def test_a_relay_that_dies_while_it_makes_streams_anew(world: World, kind: type[PartitionStreams]) -> None:
    relay, worker = world.relay(), world.worker()
    world.settle(relay, worker)
    load(world)
    world.settle(relay)
    world.redis.delete(keys.stream(1, "changes"), keys.stream(3, "changes"))
    world.lose_leases("relay")
    with pytest.raises(ConnectionResetError):
        world.settle(world.relay(kind(world.client())))
    world.lose_leases("relay")
    world.clock.advance()
    world.settle(world.relay(), worker)
    check(world, COUNT)


def test_the_check_sees_what_is_lost(world: World) -> None:
    """Entries that vanish before anybody read them, ids and all, are what no rebuild would notice."""
    relay, worker = world.relay(), world.worker()
    load(world)
    world.settle(relay)
    trim_pending(world)
    world.settle(relay, worker)
    with pytest.raises(AssertionError):
        check(world, COUNT)
