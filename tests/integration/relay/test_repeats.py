"""A tick that is published once more: identically, and without what has taken effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from pipeline.postgres.outbox import PostgresOutbox
from pipeline.redis import keys
from pipeline.redis.streams import PartitionStreams
from tests.fixtures.orgs import RULES
from tests.integration.relay.outbox import changes, published_ids

if TYPE_CHECKING:
    from pipeline.publication import QueueRow
    from pipeline.redis.entry import ByPartition
    from pipeline.ticker import Due
    from tests.fixtures.world import World


class Crash(Exception):
    """Raised by a test in the place of a crash."""


class Crashing(PartitionStreams):
    """Streams whose relay dies after so many appends, before it has said that a tick is complete."""

    appends = 1

    def append(self, entries: ByPartition, term: int, *, fresh: bool = False, moving: bool = False) -> int:
        if self.appends == 0:
            raise Crash
        if any(entry.field == b"change" for batch in entries.values() for entry in batch):
            self.appends -= 1
        return super().append(entries, term, fresh=fresh, moving=moving)


def insert(world: World, count: int, first: int = 1) -> None:
    """So many records in one transaction."""
    world.app.execute(
        "INSERT INTO emea.account (ext_id, name) SELECT n, n FROM generate_series(%s::int, %s::int) AS n",
        [first, first + count - 1],
    )


def test_a_publication_is_repeated_identically(world: World) -> None:
    insert(world, 40)
    streams = Crashing(world.client())
    streams.appends = 2
    with pytest.raises(Crash):
        world.settle(world.relay(streams, batch=10))
    before = changes(world)
    assert len(before) == 20
    world.lose_leases()
    world.settle(world.relay(batch=7))
    after = changes(world)
    assert sorted(before) == sorted(set(after) & set(before))
    assert published_ids(world) == list(range(1, 41))
    documents = world.entries()
    world.redis.flushall()
    world.clock.advance()
    world.lose_leases()
    world.settle(world.relay(batch=13))
    assert {p: [e for e in entries if e[1] == "change"] for p, entries in world.entries().items()} == {
        p: [e for e in entries if e[1] == "change"] for p, entries in documents.items()
    }


def test_a_relay_goes_on_behind_what_has_taken_effect(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.apply_rules(RULES.replace('when = "active"', ""))
    insert(world, 40)
    streams = Crashing(world.client())
    streams.appends = 3
    with pytest.raises(Crash):
        world.settle(world.relay(streams, batch=10))
    worker = world.worker()
    world.settle(worker)
    applied = [at for (at,) in world.rows("SELECT change_id FROM orgstream.applied ORDER BY change_id")]
    assert len(applied) == 30
    world.lose_leases()
    read: list[int] = []
    batch = PostgresOutbox.batch

    def watched(self: PostgresOutbox, due: Due, after: int, *, rows: int, size: int) -> list[QueueRow]:
        read.append(after)
        return batch(self, due, after, rows=rows, size=size)

    monkeypatch.setattr(PostgresOutbox, "batch", watched)
    world.settle(world.relay(batch=10), worker)
    assert applied[0] < read[0] <= applied[-1]
    assert world.rows("SELECT count(*) FROM us.account") == [(40,)]


def test_what_a_redis_that_went_back_calls_pending_is_published_anew(world: World) -> None:
    """Its consumer has finished it since, or never saw it, and asks for what is new alone."""
    world.apply_rules(RULES.replace('when = "active"', ""))
    relay, worker = world.relay(), world.worker()
    world.settle(relay, worker)
    insert(world, 8)
    world.settle(relay)
    names = {keys.stream(partition, "changes"): ">" for partition in range(4)}
    world.redis.xreadgroup("filter", "worker-2", cast("Any", names))
    told = cast("bytes", world.redis.get(keys.PUBLISHED))
    world.redis.set(keys.PUBLISHED, told.split()[0] + b" another-server")
    world.clock.advance()
    world.settle(relay, worker)
    assert world.rows("SELECT count(*) FROM us.account") == [(8,)]
