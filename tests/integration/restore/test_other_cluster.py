"""After a dump and restore transaction ids are others: nothing is lost, nothing takes effect twice."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.fixtures.world import World
from tests.integration.restore.history import dump, go_on, go_on_elsewhere, live, restore, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.embedded import EmbeddedPostgres

Move = tuple["EmbeddedPostgres", "EmbeddedPostgres"]
NEVER_MOVED = (
    "CREATE OR REPLACE FUNCTION orgstream.has_moved() RETURNS boolean LANGUAGE sql AS 'SELECT false'"
)


@pytest.fixture(params=["ids go back", "ids leap ahead", "same cluster"])
def move(
    request: pytest.FixtureRequest, aged_server: EmbeddedPostgres, postgres_server: EmbeddedPostgres
) -> Move:
    if request.param == "same cluster":
        return postgres_server, postgres_server
    back = request.param == "ids go back"
    return (aged_server, postgres_server) if back else (postgres_server, aged_server)


class Mover:
    """Worlds one after the other, each restored from a dump of the last, all on one Redis."""

    def __init__(self, redis_url: str, folder: Path, make: Callable[[EmbeddedPostgres], str]) -> None:
        self._redis_url = redis_url
        self._folder = folder
        self._make = make
        self._stack = contextlib.ExitStack()

    def begin(self, server: EmbeddedPostgres) -> tuple[World, str]:
        """The first world, and its URL."""
        url = self._make(server)
        return self._open(url, begun=False), url

    def restore(self, dumped: bytes, server: EmbeddedPostgres) -> tuple[World, str]:
        """The world of a dump, on a server."""
        url = self._make(server)
        restore(dumped, url)
        return self._open(url, begun=True), url

    def close(self) -> None:
        self._stack.close()

    def _open(self, url: str, *, begun: bool) -> World:
        world = World(url, self._redis_url, self._folder, begun=begun)
        return self._stack.enter_context(contextlib.closing(world))


@pytest.fixture
def mover(redis_url: str, tmp_path: Path, database_on: Callable[[EmbeddedPostgres], str]) -> Iterator[Mover]:
    with contextlib.closing(Mover(redis_url, tmp_path, database_on)) as mover:
        yield mover


def test_every_change_takes_effect_once(mover: Mover, move: Move) -> None:
    before, after = move
    old, url = mover.begin(before)
    live(old)
    dumped = dump(url)
    go_on_elsewhere(old)
    new, _ = mover.restore(dumped, after)
    write(new, "between", "moved", name="fourth")  # nobody relays yet
    assert go_on(new) == []
    assert new.rows("SELECT name FROM us.account WHERE ext_id = 'moved'") == [("FOURTH",)]
    assert new.rows("SELECT count(*) FROM us.account") == [(6,)]
    write(new, "new", "moved", name="fifth")
    assert go_on(new) == []
    new.redis.flushall()
    new.clock.advance()
    write(new, "newer", "moved", name="sixth")
    assert go_on(new) == []
    assert new.rows("SELECT count(*) FROM us.account") == [(8,)]


def test_a_transaction_open_at_the_start_is_not_lost(mover: Mover, move: Move) -> None:
    before, after = move
    old, url = mover.begin(before)
    live(old)
    new, _ = mover.restore(dump(url), after)
    early = new.session()
    early.execute("INSERT INTO emea.account (ext_id, name, active) VALUES ('early', 'x', true)")
    write(new, "between")
    go_on(new)
    early.commit()
    assert go_on(new) == []
    assert new.rows("SELECT name FROM us.account WHERE ext_id = 'early'") == [("X",)]


def test_it_may_move_again_and_again(mover: Mover, move: Move) -> None:
    before, after = move
    world, url = mover.begin(before)
    live(world)
    for number, server in enumerate((after, before, after)):
        world, url = mover.restore(dump(url), server)
        write(world, f"in place {number}", "moved", name=str(number))
        relay = world.relay()
        world.settle(relay)  # published, and not applied before the next move
        world.settle(relay)
    assert go_on(world) == []
    assert world.rows("SELECT name FROM us.account WHERE ext_id = 'moved'") == [("2",)]


def test_a_database_that_stays_begins_nothing_anew(mover: Mover, postgres_server: EmbeddedPostgres) -> None:
    world, _ = mover.begin(postgres_server)
    live(world)
    assert go_on(world) == []
    world.lose_leases()
    assert go_on(world) == []
    assert world.rows("SELECT count(*) FROM orgstream.foundation") == [(1,)]


def test_without_the_recognition_changes_would_be_lost(
    mover: Mover, aged_server: EmbeddedPostgres, postgres_server: EmbeddedPostgres
) -> None:
    old, url = mover.begin(aged_server)
    live(old)
    new, _ = mover.restore(dump(url), postgres_server)
    new.app.execute(NEVER_MOVED)
    write(new, "between", "moved", name="fourth")
    assert go_on(new) != []
