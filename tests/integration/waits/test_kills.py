"""A worker that is killed between wait and release, or at any statement: nothing is lost or repeated."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.waits.conftest import LOOKUP

if TYPE_CHECKING:
    from pipeline.worker import Worker
    from tests.fixtures.fragile import Crashes
    from tests.integration.waits.conftest import Family

AUDIT = """
CREATE TABLE public.audit (n integer GENERATED ALWAYS AS IDENTITY, key text, parent text, email text);
CREATE FUNCTION public.audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.audit (key, parent, email) VALUES (NEW.ext_id, NEW.parent, NEW.email); RETURN NULL;
END $$;
CREATE TRIGGER audit AFTER INSERT OR UPDATE ON us.child FOR EACH ROW EXECUTE FUNCTION public.audit();
"""


def work(family: Family, worker: Worker) -> None:
    """Let a worker do all that is to be done."""
    for _ in range(2):
        family.world.clock.advance(2)
        family.world.settle(family.relay, worker)


def take_over(family: Family) -> None:
    """Another worker goes on, from the leases of the dead one."""
    family.world.lose_leases()
    family.worker = family.world.worker()
    family.settle()


def test_a_worker_killed_between_wait_and_release(family: Family) -> None:
    family.apply(LOOKUP)
    family.child("c1", "p1", "first")
    family.child("c1", "p1", "second")
    family.settle()
    assert family.children() == []
    family.world.redis.flushall()
    family.arrive("p1", "001")
    family.child("c1", "p1", "third")
    take_over(family)
    assert family.children() == [("c1", "001", "third")]
    assert family.world.rows("SELECT count(*), count(DISTINCT change_id) FROM orgstream.applied") == [(3, 3)]


def test_an_idle_worker_that_takes_partitions_over_sees_to_their_waits(family: Family) -> None:
    other = family.world.worker()
    family.apply(LOOKUP)
    family.settle()
    family.child("c1", "p1")
    family.settle()
    family.world.settle(family.relay, other)
    family.arrive("p1", "001")
    family.world.lose_leases()
    family.worker = other
    family.settle()
    assert family.children() == [("c1", "001", "e")]


@pytest.mark.parametrize("release", [False, True], ids=["wait", "release"])
def test_a_crash_at_any_statement(family: Family, crashes: Crashes, *, release: bool) -> None:
    family.apply(LOOKUP)
    family.world.app.execute(AUDIT)
    for statement in range(200):
        worker = crashes.worker()
        family.world.lose_leases()
        family.world.settle(family.relay, worker)
        name = f"c{statement}"
        if release:
            write(family, name)
            family.world.settle(family.relay, worker)
            family.arrive(name, name)
        else:
            write(family, name)
        died = crashes.dies(statement, functools.partial(work, family, worker))
        if not release:
            family.arrive(name, name)
        take_over(family)
        assert past(family, name) == [(name, "first"), (name, "second")], statement
        assert (family.waiting(), family.letters()) == ([], [])
        if not died:
            assert statement > 10
            break
    else:
        pytest.fail("it never came to an end")
    assert family.world.rows("SELECT count(*) FROM orgstream.held_change") == [(0,)]
    assert family.world.rows("SELECT count(*) FROM orgstream.blocked_record") == [(0,)]


def write(family: Family, name: str) -> None:
    """Two changes of a child, whose effects can be told apart."""
    family.child(name, name, "first")
    family.world.settle(family.relay)
    family.child(name, name, "second")


def past(family: Family, name: str) -> list[tuple[Any, ...]]:
    """What a child has been at the target, in order; writes of one batch are one."""
    rows = family.world.rows("SELECT parent, email FROM public.audit WHERE key = %s ORDER BY n", [name])
    assert len(set(rows)) == len(rows)
    return rows if len(rows) > 1 else [(name, "first"), *rows]
