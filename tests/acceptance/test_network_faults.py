"""Faults of the network between the processes and their servers: cut, refused, frozen, half an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fixtures.scene import Scene

pytestmark = pytest.mark.slow


def test_a_commit_whose_answer_is_lost_has_taken_effect_once(scene: Scene) -> None:
    _, worker = scene.start_both()
    for _ in range(3):
        lost = scene.postgres.lose_reply(b"COMMIT", after=b"orgstream.applied")
        scene.terminate()  # what is sent anew is sent as text, not as a prepared statement
        scene.write()
        assert lost.struck.wait(30)
        scene.deployment.await_all()
    scene.settle()
    assert scene.failures(worker, "postgres") >= 3


def test_half_an_answer_of_postgres(scene: Scene) -> None:
    _, worker = scene.start_both()
    fault = scene.postgres.halve_reply(size=6)
    scene.write()
    assert fault.struck.wait(30)
    scene.settle()
    assert worker.output.count("Traceback") == 0


def test_half_an_answer_of_redis(scene: Scene) -> None:
    relay, worker = scene.start_both()
    for request in (b"XREADGROUP", b"EVALSHA"):
        fault = scene.redis.halve_reply(request, size=3)
        scene.write()
        assert fault.struck.wait(30)
        scene.deployment.await_all()
    scene.settle()
    assert scene.failures(relay, "redis") + scene.failures(worker, "redis") >= 2


@pytest.mark.parametrize("server", ["postgres", "redis"])
def test_a_server_that_refuses_connections(scene: Scene, server: str) -> None:
    proxy = {"postgres": scene.postgres, "redis": scene.redis}[server]
    processes = scene.start_both()
    proxy.refuse()
    scene.write()
    for process in processes:
        scene.await_pause(process, f"away={server}", away=server)
    proxy.accept()
    scene.settle(*processes)


@pytest.mark.parametrize("server", ["postgres", "redis"])
def test_a_network_that_takes_everything_and_passes_on_nothing(scene: Scene, server: str) -> None:
    """The kernel at the other end answers still, so that neither a reset nor a keepalive tells of it."""
    proxy = {"postgres": scene.postgres, "redis": scene.redis}[server]
    processes = scene.start_both()
    proxy.freeze()
    scene.write()
    for process in processes:
        scene.await_pause(process, f"away={server}", away=server)
    proxy.thaw()
    scene.settle(*processes)


@pytest.mark.parametrize("fault", ["refused", "frozen", "locked"])
def test_a_process_that_pauses_ends_when_it_is_asked_to(scene: Scene, fault: str) -> None:
    processes = scene.start_both(ORGSTREAM_LOCK_TIMEOUT="300ms", ORGSTREAM_CONNECT_TIMEOUT="2s")
    if fault == "refused":
        scene.postgres.refuse()
    elif fault == "frozen":
        scene.postgres.freeze()
    else:
        scene.alter_role("CONNECTION LIMIT 0")
        scene.terminate()
    scene.write()
    for process in processes:
        scene.await_pause(process, "away=postgres")
    assert [process.stop() for process in processes] == [0, 0]
