"""What is remembered of echoes goes when it is of no use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.retention.aged import ROUNDS, age, end_range, insert, queued, term

if TYPE_CHECKING:
    from tests.fixtures.world import World

REMEMBERED = """
INSERT INTO orgstream.awaited_echo (table_schema, table_name, key, change_id, columns, weighed_at)
VALUES ('north', 'account', 'old', 1, '{}', clock_timestamp() - interval '30 days'),
    ('north', 'account', 'new', 1, '{}', clock_timestamp());
INSERT INTO orgstream.echo (change_id, shown) SELECT id, '{}' FROM orgstream.change_queue;
"""


def test_verdicts_go_with_their_changes_and_records_that_are_quiet_for_long(world: World) -> None:
    relay, worker = world.relay(), world.worker()
    insert(world, "old")
    world.settle(relay, worker)
    end_range(world)
    insert(world, "new")
    world.settle(relay, worker)
    world.app.execute(REMEMBERED)
    age(world)
    upkeep = world.upkeep()
    for _ in range(ROUNDS):
        world.clock.advance(100)
        world.settle(relay, worker)
        upkeep.run(term(world), 0)
    (left,) = queued(world)
    assert world.rows("SELECT change_id FROM orgstream.echo") == [(left,)]
    assert world.rows("SELECT key FROM orgstream.awaited_echo") == [("new",)]
