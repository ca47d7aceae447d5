"""Processes that sleep past their leases and wake up: they change nothing, and go on like any other."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.fixtures.deployment import id_of
from tests.fixtures.evidence import PARTITIONS

if TYPE_CHECKING:
    from tests.fixtures.deployment import Deployment
    from tests.fixtures.processes import Running


def suspend_until_replaced(deployment: Deployment, process: Running, stage: str = "apply") -> None:
    """Stop a process until its leases have run out and others hold all of them."""
    process.send(signal.SIGSTOP)
    count = 1 if stage == "relay" else PARTITIONS

    def replaced() -> bool:
        shares = deployment.shares(stage)
        return id_of(process) not in shares and shares.total() == count

    deployment.await_true("others to take over", replaced)


def test_a_worker_suspended_under_load_changes_nothing_when_it_wakes_up(deployment: Deployment) -> None:
    deployment.start("relay")
    zombie, _ = deployment.start("worker"), deployment.start("worker")
    for _ in range(3):  # each time somewhere else in its batch
        deployment.await_shares(2, 2)
        with deployment.load():
            deployment.await_growth("applied")
            suspend_until_replaced(deployment, zombie)
        deployment.await_all()
        before = deployment.effects()
        zombie.send(signal.SIGCONT)
        deployment.await_holder(zombie)
        assert deployment.effects() == before
        deployment.require_exact()
    with deployment.load():
        deployment.await_growth("applied")
    deployment.await_all()
    assert deployment.shares()[id_of(zombie)] == 2  # and does its share again
    deployment.require_exact()


def test_a_worker_suspended_within_its_transaction_changes_nothing(deployment: Deployment) -> None:
    deployment.start("relay")
    zombie = deployment.start("worker")
    for _ in range(20):
        deployment.write()
    deployment.await_all()
    with deployment.holding("SELECT FROM us.account FOR UPDATE"):
        deployment.write()
        deployment.await_true("a wait for the lock", lambda: bool(deployment.lock_waiters()))
        zombie.send(signal.SIGSTOP)
    deployment.start("worker")
    deployment.await_shares(PARTITIONS)
    deployment.await_all()
    before = deployment.effects()
    zombie.send(signal.SIGCONT)
    zombie.await_line("action=outage")  # its transaction was ended
    deployment.await_shares(2, 2)
    assert deployment.effects() == before
    deployment.require_exact()


def test_a_worker_of_some_stages_suspended_under_load_changes_nothing(deployment: Deployment) -> None:
    """Between split stages nothing but the fences in Redis refuses it."""
    deployment.start("relay")
    deployment.start("worker", "--stages", "transform,apply")
    zombie, _ = (deployment.start("worker", "--stages", "filter,match") for _ in range(2))
    deployment.await_shares(2, 2, stage="match")
    with deployment.load():
        deployment.await_growth("applied")
        suspend_until_replaced(deployment, zombie, "match")
        zombie.send(signal.SIGCONT)  # under load: it wakes up among entries that are not its own
        deployment.await_holder(zombie, "match")
    deployment.await_all()
    deployment.require_exact()


def test_a_relay_suspended_under_load_changes_nothing_when_it_wakes_up(deployment: Deployment) -> None:
    relays = [deployment.start("relay") for _ in range(2)]
    for turn in range(3):
        zombie, other = relays if turn % 2 == 0 else reversed(relays)
        deployment.await_holder(zombie, "relay")
        with deployment.load():
            deployment.await_growth("tick")
            suspend_until_replaced(deployment, zombie, "relay")
        deployment.await_published()
        before = deployment.effects()
        count = zombie.output.count("action=relay_standby")
        zombie.send(signal.SIGCONT)
        zombie.await_line("action=relay_standby", after=count)
        assert deployment.effects() == before
        assert deployment.shares("relay") == {id_of(other): 1}
    deployment.require_published_once()
    deployment.start("worker")
    deployment.await_all()
    deployment.require_exact()
