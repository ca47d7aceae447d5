"""The changes of a record under its old key and its new one lie in two partitions, perhaps of two workers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from pipeline.postgres.links import Links
from pipeline.postgres.queries import load
from pipeline.redis.keys import partition_of
from pipeline.topology import STAGES
from stages.link import Link, LinkName, Noted

if TYPE_CHECKING:
    from pipeline.worker import Worker
    from stages.link import Asked
    from tests.integration.links.conftest import People

NAME = LinkName("emea.person", "us.person", '{"id":1}')


class Pair:
    """Two workers, and a key that lies in a partition of each."""

    def __init__(self, people: People) -> None:
        self.people = people
        world = people.world
        processes = [world.process("worker", STAGES) for _ in range(2)]
        self.first, self.second = (world.worker(process=process) for process in processes)
        for _ in range(3):
            self.settle()
        holder = dict(world.rows("SELECT partition, holder FROM orgstream.lease WHERE stage = 'apply'"))
        keys = {
            holder[partition_of(f'emea.person{{"ext_id" : "{key}"}}'.encode(), 4)]: key
            for key in map(str, range(100))
        }
        self.old, self.new = (keys[process.id] for process in processes)

    def settle(self, *workers: Worker) -> None:
        """Let these workers carry what there is, by default both."""
        movers = workers or (self.first, self.second)
        self.people.world.clock.advance()
        self.people.world.settle(self.people.relay, *movers)

    def rename(self, name: str) -> None:
        """The key changes unseen, and the person is edited."""
        update = sql.SQL("UPDATE emea.person SET ext_id = {}")
        self.people.unseen(update.format(self.new))
        self.people.put(1, self.new, name)


@pytest.fixture
def pair(people: People) -> Pair:
    pair = Pair(people)
    people.put(1, pair.old)
    pair.settle()
    return pair


def test_an_older_change_that_is_carried_last_makes_no_second_row(pair: Pair) -> None:
    pair.people.put(1, pair.old, "Bea", "Bonn")
    pair.rename("Cid")
    pair.people.world.settle(pair.people.relay, pair.second)
    assert pair.people.there() == {pair.new: ("Cid", "Rome")}
    pair.settle()
    assert pair.people.there() == {pair.new: ("Cid", "Rome")}
    ledger = pair.people.world.rows("SELECT count(*), count(DISTINCT change_id) FROM orgstream.applied")
    assert ledger == [(3, 3)]


def test_a_rename_waits_for_who_is_at_work_under_the_old_key(pair: Pair) -> None:
    pair.rename("Cid")
    world = pair.people.world
    with world.session() as at_work:
        at_work.execute(load("links")["share"])
        second = threading.Thread(target=lambda: world.settle(pair.people.relay, pair.second))
        second.start()
        assert waits_for_lock(pair.people, second)
        at_work.execute("UPDATE us.person SET note = 'in time' WHERE ext_id = %s", [pair.old])
        at_work.commit()
        second.join()
    assert world.rows("SELECT ext_id, name, note FROM us.person") == [(pair.new, "Cid", "in time")]


def waits_for_lock(people: People, worker: threading.Thread) -> bool:
    """Whether the worker comes to wait for the lock of links before it ends."""
    while worker.is_alive():
        if people.world.rows("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
            return True
    return False


def test_edits_under_one_key_do_not_wait_for_each_other(pair: Pair) -> None:
    with pair.people.world.session() as at_work:
        at_work.execute(load("links")["share"])
        pair.people.put(1, pair.old, "Bea")
        pair.settle()
        assert pair.people.there() == {pair.old: ("Bea", "Rome")}


def test_a_record_that_two_workers_see_first_at_once_is_linked_once(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one has made row and link under the old key since the links were read."""
    people.put(1, "a")
    people.settle()
    people.world.app.execute("DELETE FROM us.person; DELETE FROM orgstream.record_link")
    people.unseen("UPDATE emea.person SET ext_id = 'b'")
    people.put(1, "b", "Bea")
    read = Links.read
    reads: list[int] = []

    def overtaken(links: Links, asked: Asked) -> Any:
        found = read(links, asked)
        if not reads:
            people.world.app.execute("INSERT INTO us.person VALUES ('a', 'Ann', 'Rome', 'kept')")
            people.world.app.execute(
                "INSERT INTO orgstream.record_link VALUES (%s, %s, %s, %s, 1)", [*NAME, '{"ext_id":"a"}']
            )
        reads.append(len(found))
        return found

    monkeypatch.setattr(Links, "read", overtaken)
    people.settle()
    assert reads == [1, 1, 1]  # none, then another
    assert people.world.rows("SELECT ext_id, name, note FROM us.person") == [("b", "Bea", "kept")]


def test_a_link_that_another_worker_made_meanwhile_is_not_overwritten(people: People) -> None:
    links = Links(people.world.app)
    noted = [Noted(7, 1, NAME, Link('{"ext_id":"b"}', 7), ())]
    links.keep(noted, {}, {(7, 1)})
    with pytest.raises(psycopg.errors.SerializationFailure):
        links.keep(noted, {}, {(7, 1)})
    links.keep([Noted(9, 1, NAME, Link(None, 9), ())], {NAME: Link('{"ext_id":"b"}', 7)}, {(9, 1)})
    assert people.links() == [(NAME.record, None)]
