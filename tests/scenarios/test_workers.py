"""Workers that are ended, that die, that share a name, and that meet a change which cannot be applied."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pipeline.redis.streams import PartitionStreams
from tests.fixtures.deployment import id_of

if TYPE_CHECKING:
    from tests.fixtures.deployment import Deployment
    from tests.scenarios.conftest import Story


class Crash(Exception):
    """Raised by a test in the place of a crash."""


class Dying(PartitionStreams):
    """Streams of a worker that dies before it acknowledges."""

    def acknowledge(self, *_: Any) -> None:
        raise Crash


def test_a_worker_ended_between_two_batches_repeats_none_of_the_first(deployment: Deployment) -> None:
    """SIGTERM finds it in a batch that cannot end; SIGKILL follows."""
    deployment.env["ORGSTREAM_WORKER_BATCH"] = "40"
    deployment.start("relay")
    for number in range(100):
        deployment.app.execute("INSERT INTO emea.account VALUES (%s, 'new', 'Rome', 1, true)", [f"k{number}"])
    deployment.await_published()
    with contextlib.closing(psycopg.connect(deployment.env["DATABASE_URL"])) as other:
        other.execute("INSERT INTO us.account (ext_id) VALUES ('k99')")  # never committed
        ended = deployment.start("worker")
        deployment.await_true("the first batches", lambda: deployment.count("applied") > 0)
        deployment.await_true("a batch that waits", lambda: deployment.lock_waiters() != set())
        ended.send(signal.SIGTERM)
        ended.kill()
        done, delivered = deployment.count("applied"), deployment.pending()
        assert 0 < done < 100
        assert delivered > 0
        successor = deployment.start("worker")
    deployment.await_all()
    assert deployment.rows("SELECT count(*), count(DISTINCT ext_id) FROM public.audit") == [(100, 100)]
    assert deployment.count("applied") == 100
    assert set(deployment.shares()) == {id_of(successor)}


def test_a_worker_that_dies_between_commit_and_acknowledgement_repeats_nothing(story: Story) -> None:
    world = story.world
    relay, dying = world.relay(), world.worker(streams=Dying(world.client()))
    world.settle(relay)
    story.write_many(10)
    world.settle(relay)
    with pytest.raises(Crash):
        world.settle(dying)
    committed = world.rows("SELECT * FROM public.audit ORDER BY id")
    assert (len(committed), world.outstanding()) == (10, 14)  # with a mark in each partition
    world.lose_leases()
    world.settle(world.worker())
    assert world.rows("SELECT * FROM public.audit ORDER BY id") == committed
    story.require_replicated(10)


def test_two_dynos_of_one_name_are_two_consumers(deployment: Deployment) -> None:
    workers = [deployment.start("worker", DYNO="worker.1") for _ in range(2)]
    deployment.start("relay")
    deployment.await_shares(2, 2)
    with deployment.load():
        deployment.await_true("both to read", lambda: len(deployment.consumers()) == 2)
    deployment.await_all()
    assert deployment.consumers() == {id_of(worker) for worker in workers}
    deployment.require_exact()


def test_a_change_that_cannot_be_applied_holds_back_its_own_record_only(story: Story) -> None:
    world = story.world
    relay, worker = world.relay(), world.worker()
    for contact, email in (("bad", None), ("good", "g@x")):
        world.app.execute("INSERT INTO emea.contact VALUES (%s, 'a', %s)", [contact, email])
    world.settle(relay, worker)
    for contact in ("bad", "good"):
        world.app.execute("UPDATE emea.contact SET account = 'b', email = 'h@x' WHERE ext_id = %s", [contact])
    story.write("record", "name")
    world.settle(relay, worker)
    assert world.rows("SELECT * FROM us.contact") == [("good", "b", "h@x")]
    assert story.past("record") == ["NAME"]
    ((cause, sqlstate, message),) = world.rows("SELECT cause, sqlstate, message FROM orgstream.dead_letter")
    assert (cause, sqlstate) == ("refused", "23502")
    assert "email" in message
    held = "SELECT q.after ->> 'email' FROM orgstream.held_change AS h JOIN orgstream.change_queue AS q"
    assert world.rows(held + " ON q.id = h.change_id") == [("h@x",)]
    assert world.outstanding() == 0
