"""From the outbox into the streams: whatever the order of commits, whoever relays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.redis.streams import PartitionStreams

if TYPE_CHECKING:
    from tests.scenarios.conftest import Story


class Crash(Exception):
    """Raised by a test in the place of a crash."""


class Forgetful(PartitionStreams):
    """Streams of a relay that dies before it has noted what it published."""

    def set_published(self, tick: int | None) -> None:
        if tick is not None:
            raise Crash
        super().set_published(tick)


def test_a_change_that_commits_after_a_later_one_is_replicated_too(story: Story) -> None:
    world = story.world
    relay, worker = world.relay(), world.worker()
    slow = world.session()
    story.write("slow", "first", slow)
    story.write("quick", "second")
    ids = dict(world.rows("SELECT key ->> 'ext_id', id FROM orgstream.change_queue"))
    world.settle(relay, worker)
    assert (story.past("slow"), story.past("quick")) == ([], ["SECOND"])
    slow.commit()
    world.settle(relay, worker)
    assert story.past("slow") == ["FIRST"]
    ids |= dict(world.rows("SELECT key ->> 'ext_id', id FROM orgstream.change_queue"))
    assert ids["slow"] < ids["quick"]  # a reader that asks for higher ids would have passed it by
    story.require_replicated(2)


def test_changes_of_one_record_take_effect_in_the_order_of_their_commits(story: Story) -> None:
    """Though the transaction that wrote last began first, and a third one is open all the while."""
    world = story.world
    relay, worker = world.relay(), world.worker()
    began_first, third = world.session(), world.session()
    story.write("other", "draws the lower transaction id", began_first)
    story.write("third", "stays open", third)
    story.write("record", "written first")
    world.settle(relay)
    story.write("record", "written last", began_first)
    began_first.commit()
    world.settle(relay, worker)
    assert story.past("record")[-1] == "WRITTEN LAST"
    assert world.rows("""
        SELECT after ->> 'name', rank() OVER (ORDER BY xid) FROM orgstream.change_queue
        WHERE key ->> 'ext_id' = 'record' ORDER BY id
        """) == [("written first", 2), ("written last", 1)]
    third.commit()
    world.settle(relay, worker)
    story.require_replicated(4)


def test_a_relay_that_crashed_before_it_noted_what_it_published_repeats_nothing(story: Story) -> None:
    world = story.world
    worker = world.worker()
    world.settle(world.relay())
    world.lose_leases("relay")
    story.write_many(10)
    with pytest.raises(Crash):
        world.settle(world.relay(Forgetful(world.client())))
    assert world.rows("SELECT max(id) FROM orgstream.tick WHERE published_at IS NULL") == [(1,)]
    world.settle(worker)
    world.lose_leases("relay")
    story.pass_time(world.relay(), worker)
    assert [story.past(f"k{n}") for n in range(10)] == [[f"N{n}"] for n in range(10)]
    story.require_replicated(10)


def test_an_old_relay_beside_the_new_one_publishes_nothing_of_its_own(story: Story) -> None:
    """At a deploy the old dyno works on for 30 s."""
    world = story.world
    worker = world.worker()
    old, new = world.relay(batch=3), world.relay(batch=3)
    world.settle(old, worker)
    story.write_many(10, "a")
    assert old.step()  # a part of the batch
    world.lose_leases("relay")
    for turn in range(30):  # the clock of the old one stands still: it believes that it leads
        new.step()
        old.step()
        if turn % 5 == 0:
            story.write_many(10, f"b{turn}-")
    story.pass_time(new, old, worker)
    assert (new.leading, old.leading) == (True, False)
    assert story.past("k0")[-1] == "B25-0"
    story.require_replicated(70)


def test_a_long_transaction_holds_up_nobody(story: Story) -> None:
    world = story.world
    relay, worker = world.relay(), world.worker()
    analytics = world.session()
    analytics.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    analytics.execute("SELECT count(*), pg_current_xact_id() FROM emea.account")
    for turn in range(5):
        story.write("record", f"name {turn}")
        world.settle(relay, worker)
        assert story.past("record")[-1] == f"NAME {turn}"
    assert analytics.execute("SELECT count(*) FROM emea.account").fetchone() == (0,)  # still open
    story.require_replicated(5)
