"""Processes come and go, as at every deploy: partitions are shared anew, and publishers cannot disagree."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.fixtures.deployment import id_of
from tests.fixtures.evidence import PARTITIONS

if TYPE_CHECKING:
    from tests.fixtures.deployment import Deployment


def test_old_and_new_relays_overlap_without_a_gap_or_a_second_version(deployment: Deployment) -> None:
    """No worker runs, so that all that was ever published can be looked at."""
    running = [deployment.start("relay")]
    with deployment.load():
        for ending in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
            running.append(deployment.start("relay"))
            deployment.await_growth("tick")  # while both are there
            old = running.pop(0)
            old.send(ending)
            deployment.await_holder(running[0], "relay")
            deployment.await_growth("tick")
            assert old.wait() == (0 if ending is signal.SIGTERM else -ending)
    deployment.await_published()
    deployment.require_published_once()
    ((terms,),) = deployment.rows("SELECT term FROM orgstream.lease WHERE stage = 'relay'")
    assert terms >= 5
    deployment.start("worker")
    deployment.await_all()
    deployment.require_exact()


def test_workers_join_and_leave_and_share_the_partitions_evenly(deployment: Deployment) -> None:
    deployment.env["ORGSTREAM_LEASE_SECONDS"] = "300"  # nobody waits for the end of a lease
    deployment.start("relay")
    with deployment.load():
        workers = [deployment.start("worker")]
        deployment.await_shares(4)
        workers.append(deployment.start("worker"))
        deployment.await_shares(2, 2)
        workers.append(deployment.start("worker"))
        deployment.await_shares(2, 1, 1)
        workers.pop(0).send(signal.SIGTERM)  # hands over at once
        deployment.await_shares(2, 2)
        workers.pop(0).send(signal.SIGTERM)
        deployment.await_shares(4)
        deployment.await_growth("applied")
    deployment.await_all()
    assert set(deployment.shares()) == {id_of(workers[0])}
    deployment.require_exact()


def test_two_dynos_of_the_same_name_are_told_apart(deployment: Deployment) -> None:
    """During a deploy the old and the new dyno are both worker.1."""
    relays = [deployment.start("relay", DYNO="relay.1") for _ in range(2)]
    workers = [deployment.start("worker", DYNO="worker.1") for _ in range(2)]
    deployment.await_shares(2, 2)
    with deployment.load():
        deployment.await_true("both to read", lambda: len(deployment.consumers()) == 2)
        deployment.await_growth("applied")
    deployment.await_all()
    ids = {id_of(worker) for worker in workers}
    assert deployment.consumers() == ids == set(deployment.shares())
    assert all(id_.startswith("worker.1:") for id_ in ids)
    assert len(ids | {id_of(relay) for relay in relays}) == 4
    workers[0].kill()  # what one held the other takes over, though it has the name of the dead
    with deployment.load():
        deployment.await_shares(PARTITIONS)
        deployment.await_growth("applied")
    deployment.await_all()
    deployment.require_exact()
