"""Nothing that may still be needed is dropped, for each reason by itself; without it, it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from pipeline.postgres.queries import load
from tests.integration.retention.aged import ROUNDS, age, end_range, insert, ledger, queued, term

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.retention import Retention
    from tests.fixtures.world import World

Scene = tuple["Callable[[World], None]", str]


def young(world: World) -> None:
    """The range has just ended."""
    replicate(world, "a", "b")
    end_range(world)
    see_ended(world)


def open_late(world: World) -> None:
    """A transaction drew an early id and has committed since the last tick."""
    late = world.session()
    late.execute("INSERT INTO emea.account (ext_id, name, active) VALUES ('late', 'x', true)")
    replicate(world, "a", "b")
    end_range(world)
    age(world)
    late.commit()


def behind(world: World) -> None:
    """One partition has not applied the tick that tells that all writers have ended."""
    replicate(world, "a", "b")
    end_range(world)
    age(world)
    world.settle(world.relay(retention=60))  # takes that tick
    world.app.execute(
        "UPDATE orgstream.lease SET position_tick = (SELECT max(id) FROM orgstream.tick),"
        " position_ordinal = 1 WHERE stage = 'apply' AND partition > 0"
    )


def letter(world: World) -> None:
    """A change lies as a dead letter, and nothing behind it."""
    world.app.execute("INSERT INTO emea.contact (ext_id, email) VALUES ('bad', NULL)")
    replicate(world, "a", "b")
    assert world.rows("SELECT count(*) FROM orgstream.dead_letter") == [(1,)]
    end_range(world)
    age(world)
    see_ended(world)


def held(world: World) -> None:
    """A change waits for a paused rule."""
    replicate(world, "a", "b")
    world.app.execute("INSERT INTO orgstream.paused_rule (rule_id, reason) VALUES (1, 'a test')")
    world.app.execute("INSERT INTO orgstream.held_change (change_id, rule_id, partition) VALUES (1, 1, 0)")
    end_range(world)
    age(world)
    see_ended(world)


def replayed(world: World) -> None:
    """A replay was begun and has not ended."""
    replicate(world, "a", "b")
    end_range(world)
    age(world)
    see_ended(world)
    world.app.execute(
        "INSERT INTO orgstream.replay (actor, selection, force, first_change, snapshot)"
        " VALUES ('ann', '{}', false, 2, pg_current_snapshot())"
    )


REASONS: Final[dict[str, Scene]] = {
    "retention": (young, "AND c.closed_at <= r.moment - %(retention)s * interval '1 second'"),
    "late commit": (open_late, "AND c.closed_xid < d.xmin"),
    "position": (behind, "WHERE l.stage = 'apply'"),
    "letter": (letter, "n.change_id >= c.first"),
    "held": (held, "n.change_id >= c.first"),
    "replay": (replayed, "p.finished_at IS NULL"),
}


@pytest.fixture(params=list(REASONS))
def scene(request: pytest.FixtureRequest) -> Scene:
    return REASONS[request.param]


def test_what_is_needed_stays(world: World, scene: Scene) -> None:
    scene[0](world)
    before = queued(world), ledger(world)
    run(world, world.upkeep())
    assert (queued(world), ledger(world)) == before
    assert before[0]
    assert before[1]


def test_without_that_condition_it_would_be_lost(world: World, scene: Scene) -> None:
    make, condition = scene
    make(world)
    upkeep = world.upkeep()
    queries = dict(load("retention"))
    without = {"WHERE l.stage = 'apply'": "WHERE l.stage = 'apply' AND l.partition > 0"}
    without |= {"n.change_id >= c.first": "n.change_id < 0", "p.finished_at IS NULL": "false"}
    assert condition in queries["due"]
    queries["due"] = queries["due"].replace(condition, without.get(condition, ""))
    upkeep._queries = queries
    run(world, upkeep)
    assert queued(world) == []


def test_what_nothing_needs_is_dropped_with_its_ledger(world: World) -> None:
    replicate(world, "a", "b")
    end_range(world)
    age(world)
    see_ended(world)
    insert(world, "new")
    run(world, world.upkeep())
    assert queued(world) == [65_537]
    assert ledger(world) == []
    assert world.rows(
        "SELECT to_regclass('orgstream.change_queue_1'), to_regclass('orgstream.applied_1')"
    ) == [(None, None)]
    relay, worker = world.relay(), world.worker()
    world.settle(relay, worker)
    assert ledger(world) == [65_537]
    assert world.rows("SELECT count(*) FROM us.account") == [(3,)]


def test_a_letter_that_is_settled_keeps_nothing(world: World) -> None:
    letter(world)
    world.app.execute("DELETE FROM orgstream.blocked_record")
    world.app.execute(
        "UPDATE orgstream.dead_letter SET resolution = 'x',"
        " resolved_at = clock_timestamp() - interval '30 days'"
    )
    run(world, world.upkeep())
    assert queued(world) == []
    assert world.rows("SELECT count(*) FROM orgstream.dead_letter") == [(0,)]


def test_a_replay_that_was_left_long_ago_keeps_nothing(world: World) -> None:
    replayed(world)
    world.app.execute("UPDATE orgstream.replay SET created_at = created_at - interval '30 days'")
    run(world, world.upkeep())
    assert queued(world) == []


def test_a_late_commit_is_replicated_before_its_range_goes(world: World) -> None:
    open_late(world)
    relay, worker = world.relay(retention=60), world.worker()
    for _ in range(ROUNDS):
        world.clock.advance(100)
        world.settle(relay, worker)
    assert world.rows("SELECT ext_id FROM us.account WHERE ext_id = 'late'") == [("late",)]
    assert queued(world) == []


def test_streams_are_made_again_after_ranges_were_dropped(world: World) -> None:
    replicate(world, "a", "b")
    end_range(world)
    age(world)
    see_ended(world)
    run(world, world.upkeep())
    assert queued(world) == []
    relay = world.relay()
    insert(world, "c", "d")
    world.lose_leases()
    world.settle(relay)
    world.redis.flushall()
    world.clock.advance()
    world.settle(relay, world.worker())
    assert world.rows("SELECT ext_id FROM us.account ORDER BY 1") == [("a",), ("b",), ("c",), ("d",)]


def test_a_relay_whose_lease_is_gone_drops_nothing(world: World) -> None:
    replicate(world, "a", "b")
    end_range(world)
    age(world)
    see_ended(world)
    old = term(world)
    world.lose_leases("relay")
    world.settle(world.relay())
    with pytest.raises(Exception, match="taken over"):
        run(world, world.upkeep(), term_=old)
    assert queued(world) == [1, 2]


def replicate(world: World, *ids: str) -> None:
    """Write accounts and apply them, with a watermark in all partitions behind them."""
    relay, worker = world.relay(), world.worker()
    world.settle(relay, worker)
    insert(world, *ids)
    world.settle(relay, worker)
    world.clock.advance()
    world.settle(relay, worker)
    world.lose_leases()


def see_ended(world: World) -> None:
    """A tick after the end of the range, applied everywhere."""
    relay, worker = world.relay(), world.worker()
    world.settle(relay, worker)
    relay._ticker.wanted = True
    for _ in range(2):
        world.clock.advance()
        world.settle(relay, worker)
    world.lose_leases()


def run(world: World, upkeep: Retention, *, term_: int | None = None) -> None:
    """All the work that there may be."""
    for _ in range(ROUNDS):
        world.clock.advance(100)
        upkeep.run(term(world) if term_ is None else term_, 0)
