"""Faults of Postgres, made for real under real processes: each is waited out, told with its
reason, kept from the dead letters, and afterwards every change has taken effect once and in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fixtures.scene import Scene

pytestmark = pytest.mark.slow


def test_sessions_that_are_terminated_in_the_middle_of_transactions(scene: Scene) -> None:
    relay, worker = scene.start_both()
    with scene.deployment.load():
        for _ in range(5):
            scene.deployment.await_growth("applied")
            assert scene.terminate() > 0
    worker.await_line("action=outage ")
    scene.settle()
    assert scene.failures(relay, "postgres") + scene.failures(worker, "postgres") > 0


def test_a_row_that_somebody_else_has_locked(scene: Scene) -> None:
    _, worker = scene.start_both(ORGSTREAM_LOCK_TIMEOUT="300ms")
    with scene.deployment.holding("SELECT FROM us.account WHERE ext_id = 'k0' FOR UPDATE"):
        scene.deployment.app.execute("UPDATE emea.account SET name = 'n90' WHERE ext_id = 'k0'")
        scene.await_pause(worker, "(55P03)")
        assert scene.deployment.count("dead_letter") == 0
    scene.settle(worker)


def test_a_deadlock(scene: Scene) -> None:
    _, worker = scene.start_both()
    worker.stop()
    app = scene.deployment.app
    with scene.deployment.holding("SET deadlock_timeout = '60s'") as other:  # so that it strikes the worker
        other.execute("SELECT FROM us.account WHERE ext_id = 'k1' FOR UPDATE")
        with app.transaction():
            app.execute("UPDATE emea.account SET name = 'n90' WHERE ext_id = 'k0'")
            app.execute("UPDATE emea.account SET name = 'n91' WHERE ext_id = 'k1'")
        scene.deployment.await_published()
        worker = scene.start("worker")
        scene.deployment.await_true("a wait for the lock", lambda: scene.blocked() > 0)
        other.execute("SELECT FROM us.account WHERE ext_id = 'k0' FOR UPDATE")
        scene.await_pause(worker, "(40P01)")
    scene.settle(worker)


def test_a_target_that_is_slower_than_a_statement_may_be(scene: Scene) -> None:
    _, worker = scene.start_both(ORGSTREAM_STATEMENT_TIMEOUT="500ms")
    with scene.failing(None, seconds=0.6):
        scene.write(1)
        scene.await_pause(worker, "(57014)")
    scene.settle(worker)


@pytest.mark.parametrize("level", ["serializable", "repeatable read"])
def test_a_role_with_another_isolation_by_default(scene: Scene, level: str) -> None:
    scene.alter_role("SET default_transaction_isolation = 'serializable'")
    if level == "repeatable read":
        scene.alter_role("SET default_transaction_isolation = 'repeatable read'")
    relay, worker = scene.start_both()
    with scene.deployment.load():
        for _ in range(5):
            scene.deployment.await_growth("applied")
    scene.settle()
    assert scene.failures(relay, "postgres") + scene.failures(worker, "postgres") == 0


def test_serialization_failures_of_the_target(scene: Scene) -> None:
    _, worker = scene.start_both()
    with scene.failing("40001"):
        scene.write()
        scene.await_pause(worker, "(40001)")
    scene.settle(worker)


def test_a_role_without_a_connection_left(scene: Scene) -> None:
    relay, worker = scene.start_both()
    scene.alter_role("CONNECTION LIMIT 0")
    scene.terminate()
    scene.write()
    for process in (relay, worker):
        scene.await_pause(process, "too many connections for role")
    scene.alter_role("CONNECTION LIMIT -1")
    scene.settle(relay, worker)


def test_a_server_that_is_read_only(scene: Scene) -> None:
    relay, worker = scene.start_both()
    scene.alter_role("SET default_transaction_read_only = on")
    scene.terminate()
    scene.write()
    for process in (relay, worker):
        scene.await_pause(process, "(25006)")
    scene.alter_role("RESET default_transaction_read_only")
    scene.terminate()
    scene.settle(relay, worker)


def test_two_workers_on_a_target_slower_than_their_leases(scene: Scene) -> None:
    """Each row takes so long that no batch is done within a lease: neither livelock nor repetition."""
    relay = scene.start("relay")
    workers = scene.start("worker"), scene.start("worker")
    with scene.failing(None, seconds=0.1):
        scene.write(30)  # 60 changes: six seconds of writing, and leases of one
        scene.deployment.await_all()
    scene.write()
    scene.settle()
    assert sum(scene.failures(worker, "postgres") for worker in workers) == 0
    assert scene.unready(relay) is None


def test_a_batch_that_takes_longer_than_a_statement_may(scene: Scene) -> None:
    """The target never gets quicker, so that the same batch would be tried again for ever."""
    _, worker = scene.start_both()
    worker.stop()
    scene.write(24)
    with scene.failing(None, seconds=0.15):  # longer than the limit for each of the four partitions
        scene.deployment.await_published()
        worker = scene.start("worker", ORGSTREAM_STATEMENT_TIMEOUT="450ms")
        scene.await_pause(worker, "(57014)")
        scene.deployment.await_all()
    scene.settle(worker)


def test_a_refused_record_among_slow_ones_and_two_workers(scene: Scene) -> None:
    """To find it takes attempts that may be longer than the lease, and another worker waits for it."""
    scene.start("relay")
    scene.deployment.app.execute("ALTER TABLE us.account ADD CHECK (name <> 'REFUSED')")
    scene.write(20)
    scene.deployment.app.execute("INSERT INTO emea.account VALUES ('bad', 'refused', 'Rome', 1, true)")
    scene.deployment.await_published()
    with scene.failing(None, seconds=0.1):
        for _ in range(2):
            scene.start("worker")
        scene.deployment.await_true(
            "the end", lambda: scene.deployment.entries() == 0 and scene.deployment.pending() == 0
        )
    assert scene.deployment.count("dead_letter") == 1
    assert scene.deployment.count("applied") == scene.deployment.count("change_queue") - 1
