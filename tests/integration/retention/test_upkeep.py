"""Ranges are made ahead and end at their time; the clock may leap; under load the tables stay small."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.retention.aged import ROUNDS, age, end_range, insert, ledger, queued, term

if TYPE_CHECKING:
    from tests.fixtures.world import World

SIZES = """
SELECT
    (SELECT count(*) FROM orgstream.change_queue),
    (SELECT count(*) FROM orgstream.applied),
    (SELECT count(*) FROM orgstream.tick),
    (SELECT count(*) FROM orgstream.change_range)
"""


def ranges(world: World) -> list[tuple[int, int, bool]]:
    return world.rows("SELECT first, beyond, spilled FROM orgstream.change_range ORDER BY first")


def draw(world: World, ids: int) -> None:
    world.app.execute(
        "SELECT count(nextval('orgstream.change_queue_id_seq')) FROM generate_series(1, %s)", [ids]
    )


def test_there_is_always_a_range_ahead(world: World) -> None:
    world.settle(world.relay())
    upkeep = world.upkeep()
    for _ in range(3):
        insert(world, f"in {ranges(world)[-1]}")
        upkeep.run(term(world), 0)
        ((last, beyond, _),) = ranges(world)[-1:]
        ((drawn,),) = world.rows("SELECT max(id) FROM orgstream.change_queue")
        assert drawn < last
        draw(world, last - drawn)
        world.clock.advance()
        assert beyond - last >= 65_536
    assert not any(spilled for _, _, spilled in ranges(world))
    assert world.rows("SELECT count(*) FROM ONLY orgstream.change_queue_spill") == [(0,)]


def test_what_came_before_its_range_was_made_is_kept_and_goes_in_time(world: World) -> None:
    """Nobody made ranges for long: no write fails, all are replicated, and then dropped like the others."""
    relay, worker = world.relay(), world.worker()
    world.settle(relay, worker)
    draw(world, 70_000)
    insert(world, "spilled")
    assert world.rows("SELECT count(*) FROM orgstream.change_queue_spill") == [(1,)]
    upkeep = world.upkeep()
    upkeep.run(term(world), 0)
    assert [spilled for _, _, spilled in ranges(world)] == [False, True, False]
    insert(world, "spilled too")
    draw(world, ranges(world)[-1][0])
    insert(world, "in time")
    for _ in range(2):
        world.clock.advance(100)
        upkeep.run(term(world), 0)
        world.settle(relay, worker)
    assert len(ledger(world)) == 3
    age(world)
    relay._ticker.wanted = True
    for _ in range(ROUNDS):
        world.clock.advance(100)
        upkeep.run(term(world), 0)
        world.settle(relay, worker)
    assert len(queued(world)) == len(ledger(world)) == 1
    assert world.rows("SELECT count(*) FROM orgstream.change_queue_spill") == [(0,)]
    assert world.rows("SELECT count(*) FROM us.account") == [(3,)]


@pytest.mark.parametrize("leap", ["10 years", "-10 years"])
def test_a_leap_of_the_clock_drops_nothing_early(world: World, leap: str) -> None:
    relay, worker = world.relay(), world.worker()
    world.settle(relay, worker)
    insert(world, "a")
    world.settle(relay, worker)
    upkeep = world.upkeep(3_600.0)
    end_range(world)
    # The clock of retention saw the database's clock that much earlier, so the next look finds it leapt.
    world.app.execute("UPDATE orgstream.retention SET seen_at = seen_at - %s::interval", [leap])
    relay._ticker.wanted = True
    for _ in range(ROUNDS):
        world.clock.advance(1)
        upkeep.run(term(world), 0)
        world.settle(relay, worker)
    assert len(queued(world)) == 1
    age(world)
    for _ in range(ROUNDS):
        world.clock.advance(100)
        upkeep.run(term(world), 0)
        world.settle(relay, worker)
    assert queued(world) == []


def test_a_table_in_use_is_left_until_it_is_not(world: World) -> None:
    """A reader of the old changes, such as a dump, makes retention wait and nobody else."""
    relay, worker = world.relay(), world.worker()
    world.settle(relay, worker)
    insert(world, "a")
    world.settle(relay, worker)
    end_range(world)
    age(world)
    relay._ticker.wanted = True
    for _ in range(2):
        world.clock.advance()
        world.settle(relay, worker)
    reader = world.session()
    reader.execute("SELECT count(*) FROM orgstream.change_queue")
    upkeep = world.upkeep()
    for _ in range(ROUNDS):
        world.clock.advance(100)
        upkeep.run(term(world), 0)
    assert len(queued(world)) == 1
    insert(world, "b")  # waits for nobody
    reader.rollback()
    for _ in range(ROUNDS):
        world.clock.advance(100)
        upkeep.run(term(world), 0)
    assert len(queued(world)) == 1  # "b"


def test_under_load_the_tables_stay_small_and_nothing_is_lost(world: World) -> None:
    relay, worker = world.relay(retention=1.0), world.worker()
    world.settle(relay, worker)
    sizes = []
    written = 0
    for _ in range(12):  # as many times as the retention is long, until half of it was dropped
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            for _ in range(20):
                written += 1
                world.app.execute(
                    "INSERT INTO emea.account (ext_id, name, active) VALUES (%s, %s, true)"
                    " ON CONFLICT (ext_id) DO UPDATE SET name = excluded.name",
                    [str(written % 100), str(written)],
                )
            world.clock.now = time.monotonic()
            relay.step()
            worker.step()
        sizes.append(world.rows(SIZES)[0])
    world.clock.advance()
    world.settle(relay, worker)
    ((dropped,),) = world.rows("SELECT min(first) FROM orgstream.change_range")
    assert dropped > 1, "nothing was dropped"
    assert max(size[0] for size in sizes) < written
    assert max(size[1] for size in sizes) < written
    assert max(size[3] for size in sizes) < 30
    assert world.rows(
        "SELECT count(*) FROM emea.account AS s FULL JOIN us.account AS t ON s.ext_id = t.ext_id"
        " WHERE s.name IS DISTINCT FROM t.name"
    ) == [(0,)]
