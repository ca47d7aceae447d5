"""Leases between processes: who takes over from whom, and how many partitions each has."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.fixtures.world import ALL
from tests.integration.worker.conftest import account, names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.relay import Relay
    from pipeline.worker import Worker
    from tests.fixtures.world import World


def holders(world: World, stage: str = "apply") -> list[int]:
    """How many partitions each holder of a stage has; what nobody holds is left out."""
    rows = world.rows("SELECT holder FROM orgstream.lease WHERE stage = %s AND holder IS NOT NULL", [stage])
    return sorted(Counter(rows).values(), reverse=True)


def tend(world: World, *movers: Relay | Worker) -> None:
    """Let time pass until nobody gives or takes any more."""
    for _ in range(4):
        world.clock.advance(1)
        world.settle(*movers)


def end_session(world: World, mover: Relay | Worker) -> None:
    """End it as the kill of its process does; it is gone when this returns."""
    table: Any = mover._leases._table
    pid = table._connection.info.backend_pid
    assert world.rows("SELECT pg_terminate_backend(%s, 10000)", [pid]) == [(True,)]


@pytest.mark.parametrize("place", [0, 1], ids=["the first", "the second"])
def test_what_a_killed_worker_held_is_taken_before_its_leases_run_out(world: World, place: int) -> None:
    relay, workers = world.relay(), [world.worker(), world.worker()]
    tend(world, relay, *workers)
    killed, other = workers.pop(place), *workers
    assert holders(world) == [2, 2]
    for number in range(12):
        account(world, f"k{number}")
    world.settle(relay)
    end_session(world, killed)
    tend(world, other)
    assert holders(world) == [4]
    assert len(names(world)) == 12
    assert world.outstanding() == 0


def test_what_a_killed_relay_held_is_taken_before_its_lease_runs_out(world: World) -> None:
    killed, standby = world.relay(), world.relay()
    world.settle(killed, standby)
    account(world, "a")
    end_session(world, killed)
    world.clock.advance(1)
    world.settle(standby)
    assert (standby.leading, world.outstanding()) == (True, 5)  # the change, and a mark in each partition


def test_a_session_that_lives_keeps_its_leases(world: World) -> None:
    relay, holder, other = world.relay(), world.worker(), world.worker()
    world.settle(relay, holder)
    world.app.execute("UPDATE orgstream.process SET seen_at = '-infinity'")
    tend(world, other)
    id_ = holder._leases._process.id
    assert world.rows("SELECT DISTINCT holder FROM orgstream.lease WHERE stage = 'apply'") == [(id_,)]


def test_who_lost_only_the_session_takes_part_again(world: World) -> None:
    relay, first, second = world.relay(), world.worker(), world.worker()
    tend(world, relay, first, second)
    process = first._leases._process
    end_session(world, first)
    tend(world, second)
    again = world.worker(process=process)
    tend(world, again, second)
    assert holders(world) == [2, 2]


@pytest.mark.parametrize(
    ("stages", "shares"),
    [
        ([ALL] * 3, [2, 1, 1]),
        ([ALL] * 6, [1, 1, 1, 1]),
        ([ALL, "filter,match", "transform,apply"], [2, 2]),
        (["filter,match", ALL, "transform", "apply"], [2, 2]),
    ],
    ids=["three", "more than there are partitions", "fused beside split", "split beside fused"],
)
def test_partitions_are_shared_evenly_and_none_is_left_over(
    world: World, stages: Sequence[str], shares: list[int]
) -> None:
    workers = [world.worker(names) for names in stages]
    tend(world, world.relay(), *workers)
    assert [holders(world, stage) for stage in ALL.split(",")] == [shares] * 4
