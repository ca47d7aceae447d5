"""Publication: the same again, room, sizes, watermarks, and what becomes of streams that were lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.redis import keys
from pipeline.redis.entry import Entry
from pipeline.redis.streams import Fenced, PartitionStreams, StreamsLost
from tests.integration.relay.outbox import changes, numbered, published_ids, take_all

if TYPE_CHECKING:
    from tests.fixtures.world import World


def insert(world: World, count: int, first: int = 1) -> None:
    """So many records in one transaction."""
    world.app.execute(
        "INSERT INTO emea.account (ext_id, name) SELECT n, n FROM generate_series(%s::int, %s::int) AS n",
        [first, first + count - 1],
    )


def only_document(world: World) -> dict[str, Any]:
    """The one change that lies in the streams."""
    ((document,),) = [[d for _, field, d in e if field == "change"] for e in world.entries().values() if e]
    found: dict[str, Any] = json.loads(document)
    return found


def test_what_an_entry_holds(world: World) -> None:
    relay = world.relay()
    world.settle(relay)
    take_all(world)
    with world.session() as session:
        session.execute("SELECT set_config('orgstream.path', 'apac', true)")
        session.execute("INSERT INTO emea.account (ext_id, name) VALUES ('a', 'Ä\"')")
    world.settle(relay)
    row = {"ext_id": "a", "name": 'Ä"', "city": None, "amount": None, "active": None}
    found = only_document(world)
    assert found.pop("captured_at").endswith("+00")
    assert found == {
        "id": 1,
        "schema": "emea",
        "table": "account",
        "operation": "INSERT",
        "origin": "orgstream",
        "key": {"ext_id": "a"},
        "before": None,
        "after": row,
        "path": ["apac"],
    }
    take_all(world)
    world.app.execute("UPDATE emea.account SET ext_id = 'b'")
    world.settle(relay)
    found = only_document(world)
    assert (found["key"], found["old_key"]) == ({"ext_id": "b"}, {"ext_id": "a"})
    assert (found["before"], found["after"]) == (row, row | {"ext_id": "b"})


def test_a_repeated_id_is_refused_by_redis(world: World) -> None:
    world.settle(world.relay())
    streams = PartitionStreams(world.client())
    ((term,),) = world.rows("SELECT term FROM orgstream.lease WHERE stage = 'relay'")
    entries = {0: [Entry(b"7-1", b"change", b"{}"), Entry(b"7-2", b"change", b"{}")]}
    assert [streams.append(entries, term) for _ in range(2)] == [2, 0]
    assert [id_ for id_, field, _ in world.entries()[0] if field == "change"] == ["7-1", "7-2"]


class TestRoom:
    """The relay stops while the streams are full; the backlog waits in Postgres."""

    def test_by_entries(self, world: World) -> None:
        relay = world.relay(max_entries=10, batch=4)
        insert(world, 30)
        seen: dict[str, list[str]] = {}
        for _ in range(20):
            world.settle(relay)
            assert len(changes(world)) <= 10
            assert relay.waiting == (len(seen) + len(changes(world)) < 30)
            take_all(world, seen)
        assert len(seen) == 30

    def test_by_bytes(self, world: World) -> None:
        relay = world.relay(max_bytes=200_000, batch=5)
        world.app.execute(
            "INSERT INTO emea.account (ext_id, name) SELECT n, repeat('x', 20000)"
            " FROM generate_series(1, 30) AS n"
        )
        seen: dict[str, list[str]] = {}
        for _ in range(30):
            world.settle(relay)
            assert sum(len(d) for e in world.entries().values() for _, _, d in e) < 350_000
            take_all(world, seen)
        assert len(seen) == 30

    def test_one_row_larger_than_all_the_room(self, world: World) -> None:
        relay = world.relay(max_bytes=2**20)
        world.app.execute(
            "INSERT INTO emea.account (ext_id, name) SELECT n, n FROM generate_series(1, 3) AS n"
        )
        world.app.execute("UPDATE emea.account SET name = repeat('x', 10000000) WHERE ext_id = '2'")
        seen: dict[str, list[str]] = {}
        for _ in range(5):
            world.settle(relay)
            take_all(world, seen)
        assert [len(value) for value in seen["2"]] == [1, 10_000_000]

    def test_a_batch_is_bounded_by_rows(self, world: World) -> None:
        insert(world, 25)
        relay = world.relay(batch=10)
        sizes = []
        while relay.step():
            sizes.append(len(changes(world)))
        assert sizes == [10, 20, 25, 25]  # the last step finds the end of the batch

    def test_a_full_redis(self, world: World) -> None:
        relay = world.relay()
        world.settle(relay)
        take_all(world)
        insert(world, 5)
        world.redis.config_set("maxmemory", 1)
        try:
            world.settle(relay)
            assert (relay.waiting, published_ids(world)) == (True, [])
        finally:
            world.redis.config_set("maxmemory", 0)
        world.settle(relay)
        assert published_ids(world) == [1, 2, 3, 4, 5]


class TestStandby:
    """One relay at a time; the next takes over where the last one was."""

    def test_it_stands_by_until_the_lease_runs_out(self, world: World) -> None:
        first, second = world.relay(), world.relay()
        world.settle(first, second)
        assert (first.leading, second.leading) == (True, False)
        insert(world, 3)
        world.settle(second)
        assert published_ids(world) == []
        world.lose_leases("relay")
        world.clock.advance()
        world.settle(second)
        assert (second.leading, published_ids(world)) == (True, [1, 2, 3])
        world.settle(first)
        assert not first.leading

    def test_a_released_lease_is_taken_at_once(self, world: World) -> None:
        first, second = world.relay(), world.relay()
        world.settle(first, second)
        world.app.execute("UPDATE orgstream.lease SET holder = NULL WHERE stage = 'relay'")
        world.clock.advance()
        world.settle(second)
        assert second.leading

    def test_the_old_one_is_fenced_before_it_takes_a_tick(self, world: World) -> None:
        old = world.relay()
        world.settle(old)
        world.lose_leases("relay")
        world.settle(world.relay())  # the old one was paused: its clock did not move
        insert(world, 3)
        assert not old.step()
        assert (old.leading, published_ids(world)) == (False, [])
        assert world.rows("SELECT count(*) FROM orgstream.tick WHERE id > 0") == [(0,)]

    def test_the_old_one_is_fenced_in_redis(self, world: World) -> None:
        old = world.relay(batch=5)
        insert(world, 12)
        assert old.step()  # has taken the tick and published a part of it
        world.lose_leases("relay")
        world.settle(world.relay())
        take_all(world)
        assert not old.step()
        assert (old.leading, published_ids(world)) == (False, [])

    def test_a_lower_term_is_refused_everywhere(self, world: World) -> None:
        world.settle(world.relay())
        world.lose_leases("relay")
        world.settle(world.relay())
        streams = PartitionStreams(world.client())
        with pytest.raises(Fenced):
            streams.append({0: [Entry(b"9-1", b"change", b"{}")]}, 1)
        with pytest.raises(Fenced):
            streams.prepare([0], 1)
        world.redis.delete(keys.fence(0))
        with pytest.raises(StreamsLost):
            streams.append({0: [Entry(b"9-1", b"change", b"{}")]}, 2)


def test_marks_advance_quiet_partitions(world: World) -> None:
    """Also under a load that never ends: or a rebuild would have to begin ever further back."""
    relay = world.relay()
    for number in range(1, 4):
        numbered(world, 1, first=number)
        world.clock.advance()
        relay.step()
        relay.step()
    marked = [[id_ for id_, field, _ in entries if field == "mark"] for entries in world.entries().values()]
    assert all(ids[-1] == "2-2" for ids in marked)
