"""Changes of identity across partitions: order holds over both keys, also beyond the relay's death."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline.publication import Moves
from pipeline.redis import keys
from tests.integration.relay.outbox import published_ids, take_all

if TYPE_CHECKING:
    from tests.fixtures.world import World


def insert(world: World, *records: str) -> None:
    for record in records:
        world.app.execute("INSERT INTO emea.account (ext_id, name) VALUES (%s, 'new')", [record])


def move(world: World, old: str, new: str) -> None:
    world.app.execute("UPDATE emea.account SET ext_id = %s, name = 'moved' WHERE ext_id = %s", [new, old])


def touch(world: World, record: str, name: str = "touched") -> None:
    world.app.execute("UPDATE emea.account SET name = %s WHERE ext_id = %s", [name, record])


@pytest.fixture
def records(world: World) -> list[str]:
    """Three keys of three partitions, found by publishing."""
    relay = world.relay()
    by_partition: dict[int, str] = {}
    for number in range(40):
        insert(world, f"k{number}")
    world.settle(relay)
    for place, entries in world.entries().items():
        for _, field, document in entries:
            if field == "change":
                by_partition.setdefault(place, json.loads(document)["key"]["ext_id"])
    world.app.execute("DELETE FROM emea.account")
    world.settle(relay)
    take_all(world)
    world.lose_leases()
    return sorted(by_partition.values())[:3]


def test_what_follows_a_move_waits_for_it(world: World, records: list[str]) -> None:
    a, b, _ = records
    insert(world, a)
    move(world, a, b)
    touch(world, b)
    relay = world.relay()
    order = []
    for _ in range(6):
        world.settle(relay)
        order.append(take_all(world))
    assert [history for history in order if history] == [{a: ["new"]}, {b: ["moved"]}, {b: ["touched"]}]


def test_a_move_waits_for_what_was_before_under_its_new_key(world: World, records: list[str]) -> None:
    a, b, _ = records
    relay = world.relay()
    insert(world, a, b)
    world.settle(relay)
    world.app.execute("DELETE FROM emea.account WHERE ext_id = %s", [b])
    move(world, a, b)
    world.settle(relay)
    assert len(published_ids(world)) == 3  # the delete, and not yet the move
    take_all(world)
    world.settle(relay)
    assert take_all(world) == {b: ["moved"]}


def test_a_second_move_waits_for_the_first(world: World, records: list[str]) -> None:
    """The second goes to the partition of the key between, where the first one is not."""
    a, b, c = records
    relay = world.relay()
    insert(world, a)
    world.settle(relay)
    take_all(world)
    move(world, a, b)
    move(world, b, c)
    touch(world, c)
    world.settle(relay)
    seen = []
    for _ in range(5):
        world.settle(relay)
        seen.append(take_all(world))
    assert [found for found in seen if found] == [{b: ["moved"]}, {c: ["moved"]}, {c: ["touched"]}]


def test_the_relay_after_it_waits_too(world: World, records: list[str]) -> None:
    a, b, _ = records
    relay = world.relay()
    insert(world, a)
    world.settle(relay)
    take_all(world)
    move(world, a, b)
    world.settle(relay)
    assert len(published_ids(world)) == 1
    touch(world, b)
    world.lose_leases("relay")
    after = world.relay()
    world.settle(after)
    assert after.leading
    assert len(published_ids(world)) == 1
    assert take_all(world) == {b: ["moved"]}
    world.settle(after)
    assert take_all(world) == {b: ["touched"]}


def test_a_rebuild_of_the_other_partition_waits_too(world: World, records: list[str]) -> None:
    """The move lies in the partition of its old key, the one of its new key is lost: it may not go ahead."""
    a, b, _ = records
    relay = world.relay()
    insert(world, a)
    world.settle(relay)
    take_all(world)
    move(world, a, b)
    world.settle(relay)
    ((lost, _),) = [(p, e) for p, e in world.entries().items() if not e][:1]
    touch(world, b)
    world.redis.delete(keys.stream(lost, "changes"))
    world.clock.advance()
    world.settle(relay)
    assert len(published_ids(world)) == 1
    take_all(world)
    world.settle(relay)
    assert take_all(world) == {b: ["touched"]}


class TestAccount:
    """The account of moves, without servers: which entries must wait."""

    @staticmethod
    def routes() -> tuple[bytes, bytes]:
        """Two routes of different partitions."""
        first = b"t1"
        second = next(
            route
            for n in range(2, 99)
            if keys.partition_of(route := b"t%d" % n, 4) != keys.partition_of(first, 4)
        )
        return first, second

    def test_the_first_move_after_a_start_waits(self) -> None:
        a, b = self.routes()
        moves = Moves()
        assert moves.must_wait(b, a, 4)
        moves.emptied()
        assert not moves.must_wait(b, a, 4)

    def test_it_forgets_and_then_waits_once_more(self) -> None:
        a, b = self.routes()
        moves = Moves()
        moves.emptied()
        for number in range(50_001):
            moves.published(b"other %d" % number, None, 4)
        assert moves.must_wait(b, a, 4)

    def test_a_route_moved_into_is_remembered_all_the_same(self) -> None:
        a, b = self.routes()
        moves = Moves()
        moves.emptied()
        moves.published(b, a, 4)
        for number in range(50_001):
            moves.published(b"other %d" % number, None, 4)
        assert moves.concerned
        assert moves.must_wait(b, None, 4)
