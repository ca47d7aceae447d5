"""Processes that are killed with -9 under load: who is left goes on, though the leases have long to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fixtures.deployment import id_of
from tests.fixtures.evidence import PARTITIONS

if TYPE_CHECKING:
    from tests.fixtures.deployment import Deployment
    from tests.fixtures.processes import Running

# Longer than any of these tests may take: nothing here can wait for the end of a lease.
LONG_LEASES = {"ORGSTREAM_LEASE_SECONDS": "300", "ORGSTREAM_WORKER_BLOCK_SECONDS": "0.2"}


@pytest.fixture(autouse=True)
def _long_leases(deployment: Deployment) -> None:
    deployment.env.update(LONG_LEASES)


def kill_at_work(deployment: Deployment, process: Running, stage: str) -> None:
    """Kill a process with -9 once it has partitions and changes have gone through."""
    deployment.await_holder(process, stage)
    deployment.await_growth("applied")
    process.kill()


def await_flow(deployment: Deployment) -> None:
    """Wait until a change of each partition is applied that is written from now on."""
    ((since,),) = deployment.rows("SELECT clock_timestamp()")
    query = "SELECT FROM orgstream.lease WHERE stage = 'apply' AND position_captured_at > %s"
    deployment.await_true(
        "every partition to flow", lambda: deployment.app.execute(query, [since]).rowcount == PARTITIONS
    )


def finish(deployment: Deployment) -> None:
    deployment.await_all()
    deployment.require_exact()


def test_the_partitions_of_a_killed_worker_go_to_the_other_one(deployment: Deployment) -> None:
    deployment.start("relay")
    killed, other = deployment.start("worker"), deployment.start("worker")
    deployment.await_shares(2, 2)
    with deployment.load():
        kill_at_work(deployment, killed, "apply")
        await_flow(deployment)
        assert deployment.shares() == {id_of(other): 4}
    finish(deployment)


def test_a_killed_worker_that_is_started_anew_goes_on_where_it_was(deployment: Deployment) -> None:
    deployment.start("relay")
    with deployment.load():
        for _ in range(2):
            kill_at_work(deployment, deployment.start("worker"), "apply")
        deployment.start("worker")
        await_flow(deployment)
    finish(deployment)


def test_the_standby_takes_over_from_a_killed_relay(deployment: Deployment) -> None:
    killed = deployment.start("relay")
    killed.await_line("action=relay_leading")
    standby = deployment.start("relay")
    deployment.start("worker")
    with deployment.load():
        kill_at_work(deployment, killed, "relay")
        standby.await_line("action=relay_leading")
        await_flow(deployment)
    finish(deployment)


def test_a_killed_relay_that_is_started_anew_goes_on_where_it_was(deployment: Deployment) -> None:
    deployment.start("worker")
    with deployment.load():
        for _ in range(2):
            kill_at_work(deployment, deployment.start("relay"), "relay")
        deployment.start("relay")
        await_flow(deployment)
    finish(deployment)


@pytest.mark.parametrize("stages", ["filter,match", "transform,apply"])
def test_a_killed_worker_of_some_stages_is_replaced(deployment: Deployment, stages: str) -> None:
    deployment.start("relay")
    layouts = ("filter,match", "transform,apply")
    workers = {layout: deployment.start("worker", "--stages", layout) for layout in layouts}
    with deployment.load():
        kill_at_work(deployment, workers[stages], stages.partition(",")[0])
        deployment.start("worker", "--stages", stages)
        await_flow(deployment)
    finish(deployment)


def test_a_worker_killed_while_it_waits_for_a_lock_of_the_target(deployment: Deployment) -> None:
    """Its session would outlive it, with the rows of its leases locked, until it got that lock."""
    deployment.env["ORGSTREAM_LOCK_TIMEOUT"] = "300"
    deployment.start("relay")
    killed = deployment.start("worker")
    for _ in range(20):
        deployment.write()
    deployment.await_all()
    with deployment.holding("SELECT FROM us.account FOR UPDATE"):
        deployment.write()
        deployment.await_true("a wait for the lock", lambda: deployment.lock_waiters() != set())
        before = deployment.lock_waiters()
        killed.kill()
        deployment.start("worker")
        deployment.await_true("the next worker at the lock", lambda: bool(deployment.lock_waiters() - before))
    finish(deployment)
