"""A worker that dies at any statement of a rename: row, link and ledger come together or not at all."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, ClassVar

import psycopg
from psycopg import sql

from pipeline.postgres.connection import prepare

if TYPE_CHECKING:
    import pytest

    from pipeline.worker import Worker
    from tests.integration.links.conftest import People


class Crash(BaseException):
    """The process is gone."""


class Fragile(psycopg.Connection[Any]):
    """A connection whose process dies at its n-th statement from the lock of links on, if that is told."""

    left: ClassVar[int | None] = None
    begun: ClassVar[bool] = False

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        Fragile.begun = Fragile.begun or "orgstream.record_link" in str(query)
        if Fragile.left is not None and Fragile.begun:
            Fragile.left -= 1
            if Fragile.left < 0:
                self.close()
                raise Crash
        return super().execute(query, *args, **kwargs)


def fragile_worker(people: People, monkeypatch: pytest.MonkeyPatch, stack: contextlib.ExitStack) -> Worker:
    def connection() -> psycopg.Connection:
        made = Fragile.connect(str(people.world.settings.database_url), autocommit=True)
        stack.enter_context(contextlib.closing(made))
        prepare(made, people.world.settings)
        return made

    with monkeypatch.context() as patched:
        patched.setattr(people.world, "connection", connection)
        return people.world.worker()


def dies(people: People, worker: Worker, statement: int) -> bool:
    """Let a worker carry what there is, and die at a statement; whether it came so far."""
    Fragile.left, Fragile.begun = statement, False
    try:
        people.world.settle(people.relay, worker)
    except Crash:
        return True
    finally:
        Fragile.left = None
    return False


def test_a_crash_at_any_statement(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    people.put(1, "k")
    people.settle()
    people.world.app.execute("UPDATE us.person SET note = 'kept'")
    for statement in range(50):
        with contextlib.ExitStack() as stack:
            worker = fragile_worker(people, monkeypatch, stack)
            people.world.lose_leases()
            people.world.settle(people.relay, worker)
            people.unseen(sql.SQL("UPDATE emea.person SET ext_id = {}").format(f"k{statement}"))
            people.put(1, f"k{statement}", f"name {statement}")
            died = dies(people, worker, statement)
        people.world.lose_leases()
        people.worker = people.world.worker()
        people.world.settle(people.relay, people.worker)
        found = people.world.rows("SELECT ext_id, name, note FROM us.person")
        assert found == [(f"k{statement}", f"name {statement}", "kept")], statement
        assert people.links() == [('{"id":1}', f'{{"ext_id":"k{statement}"}}')]
        if not died:
            break
    assert 6 < statement < 49
    ledger = people.world.rows("SELECT count(*), count(DISTINCT change_id) FROM orgstream.applied")
    assert ledger == [(statement + 2, statement + 2)]
