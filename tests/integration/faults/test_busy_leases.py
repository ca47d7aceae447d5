"""A lease that has run out while its holder is in the middle of an apply transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.postgres.connection import connect
from pipeline.postgres.lease_table import PostgresLeaseTable

if TYPE_CHECKING:
    from tests.fixtures.world import World


def test_a_partition_at_work_is_not_taken_and_nobody_waits_for_it(world: World) -> None:
    with connect(world.settings, "test") as connection:
        connection.execute("SET lock_timeout = '1s'")  # who waits for the holder fails
        table = PostgresLeaseTable(connection)
        table.prepare(["apply"], 4)
        table.grant("holder", ["apply"], range(4), seconds=5, count=4)
        world.lose_leases()
        at_work = world.session()
        at_work.execute(
            "UPDATE orgstream.lease SET position_tick = 1 WHERE partition = 2"
        )  # as the fence does
        taken = table.grant("other", ["apply"], range(4), seconds=5, count=4)
        assert [partition for _, partition, *_ in sorted(taken)] == [0, 1, 3]
        at_work.commit()
        taken = table.grant("other", ["apply"], [2], seconds=5, count=4)
        assert [(partition, tick) for _, partition, _, tick, _ in taken] == [(2, 1)]
