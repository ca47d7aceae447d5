"""A cluster set back to an earlier time, or a promoted replica: Redis knows of more than it does."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest

from pipeline.embedded import EmbeddedPostgres
from pipeline.redis import keys
from tests.fixtures.environment import postgres_bindir, server_folder
from tests.fixtures.world import World
from tests.integration.restore.history import faults, go_on, live, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Cluster:
    """A cluster of the test's own; `save` keeps its state, `set_back` makes it that again."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self._folder = folder
        self._redis_url = redis_url
        self._stack = contextlib.ExitStack()
        self._server = self._new()

    def _new(self) -> EmbeddedPostgres:
        settings = {"shared_buffers": "32MB", "restore_command": "false"}
        return EmbeddedPostgres(self._folder / "now", settings=settings, bindir=postgres_bindir())

    def start(self, *, begun: bool) -> World:
        """Start the server; the world in it."""
        self._server = self._new().start()
        with psycopg.connect(self._server.url, autocommit=True) as connection:
            if not begun:
                connection.execute("CREATE EXTENSION hstore")
            with contextlib.suppress(psycopg.Error):  # it recovers no more
                connection.execute("SELECT pg_promote()")
        world = World(self._server.url, self._redis_url, self._folder, begun=begun)
        return self._stack.enter_context(contextlib.closing(world))

    def stop(self) -> None:
        """Stop the server, and every connection to it."""
        self._stack.close()
        self._server.stop()

    def save(self) -> None:
        """Keep the state of the stopped server."""
        copy(self._folder / "now", self._folder / "saved")

    def set_back(self, *, recover: bool) -> None:
        """Make the stopped server what it was; with a recovery, as of an archive or a replica's."""
        shutil.rmtree(self._folder / "now")
        copy(self._folder / "saved", self._folder / "now")
        if recover:
            data = self._folder / "now" / "data"
            copy(data / "postgresql.auto.conf", data / "recovery.signal")  # its being there is the signal


@pytest.fixture
def cluster(redis_url: str) -> Iterator[Cluster]:
    with server_folder("saved") as folder:
        cluster = Cluster(folder, redis_url)
        yield cluster
        cluster.stop()


@pytest.mark.parametrize("recover", [False, True], ids=["copy", "recovery"])
def test_what_is_undone_never_takes_effect(cluster: Cluster, *, recover: bool) -> None:
    world = cluster.start(begun=False)
    live(world)
    cluster.stop()
    cluster.save()
    world = cluster.start(begun=True)
    undone(world)
    cluster.stop()
    cluster.set_back(recover=recover)
    world = cluster.start(begun=True)
    world.app.execute("CREATE SEQUENCE public.nothing")  # an id of the undone time is drawn again
    write(world, "instead", "moved", name="fourth")
    assert go_on(world) == []
    assert world.rows("SELECT count(*) FROM us.account WHERE ext_id LIKE 'undone%%'") == [(0,)]
    assert world.rows("SELECT name FROM us.account WHERE ext_id = 'moved'") == [("FOURTH",)]
    assert world.rows("SELECT count(*) FROM orgstream.foundation") == [(1,)]


def test_a_promoted_replica_that_had_all_goes_on(cluster: Cluster) -> None:
    world = cluster.start(begun=False)
    live(world)
    before = world.redis.get(keys.HISTORY)
    cluster.stop()
    cluster.save()
    cluster.set_back(recover=True)
    world = cluster.start(begun=True)
    write(world, "after", "moved", name="fourth")
    assert go_on(world) == []
    assert world.rows("SELECT count(*) FROM orgstream.foundation") == [(1,)]
    assert world.redis.get(keys.HISTORY) != before
    assert faults(world) == []


def copy(source: Path, target: Path) -> None:
    """A copy with the owners of the files, who may not be us."""
    program = shutil.which("cp")
    assert program is not None
    subprocess.run([program, "-a", source, target], check=True)


def undone(world: World) -> None:
    """Changes that are applied, published, and on their way when the time is set back."""
    write(world, "undone", "moved", name="undone")
    assert go_on(world) == []
    write(world, "undone too", "moved", name="undone")
    relay = world.relay()
    world.lose_leases()
    for _ in range(2):
        world.clock.advance()
        world.settle(relay)
    assert world.outstanding() > 0
