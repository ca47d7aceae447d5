"""Once in effect: entries that come again, workers that die or are paused, records that come in twice."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pipeline.ports import LeaseLost
from pipeline.redis import keys
from pipeline.redis.streams import PartitionStreams
from tests.fixtures.world import ALL
from tests.integration.worker.conftest import account, ledger, letters, names

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.leases import Leases
    from tests.fixtures.world import World


class Crash(Exception):
    """Raised by a test in the place of a crash."""


class Hooked(PartitionStreams):
    """Streams that call the test before they acknowledge, or after they read."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.before_acknowledge: Callable[[], None] = lambda: None
        self.before_read: Callable[[], None] = lambda: None

    def acknowledge(self, *arguments: Any) -> None:
        self.before_acknowledge()
        super().acknowledge(*arguments)

    def read(self, *arguments: Any, **options: Any) -> Any:
        self.before_read()
        return super().read(*arguments, **options)


def crash() -> None:
    raise Crash


def spread(world: World, count: int = 12, name: str = "n") -> None:
    for number in range(count):
        account(world, f"k{number}", f"{name}{number}")


def every(name: str, count: int = 12) -> dict[str, str]:
    return {f"k{n}": f"{name}{n}" for n in range(count)}


def test_a_crash_between_commit_and_acknowledgement(world: World) -> None:
    relay = world.relay()
    streams = Hooked(world.client())
    worker = world.worker(streams=streams)
    world.settle(relay, worker)
    spread(world)
    world.settle(relay)
    streams.before_acknowledge = crash
    with pytest.raises(Crash):
        worker.step()
    assert names(world) == every("N")
    assert world.outstanding() == 12
    world.app.execute("UPDATE us.account SET note = 'kept', name = 'by hand' WHERE ext_id = 'k3'")
    before = ledger(world)
    world.lose_leases()
    world.clock.advance()
    world.settle(relay, world.worker())
    assert world.outstanding() == 0
    assert ledger(world) == before
    assert names(world) == every("N") | {"k3": "by hand"}  # applied again, it would be N3


@pytest.mark.parametrize("dying", ["filter", "match", "transform", "apply"])
def test_the_same_worker_goes_on_after_a_fault_of_its_own(world: World, dying: str) -> None:
    """A step that fails leaves its entries pending; the next one of the same worker finishes them first."""
    relay = world.relay()
    streams = {stage: Hooked(world.client()) for stage in ALL.split(",")}
    workers = [world.worker(stage, streams=streams[stage], batch=8) for stage in streams]
    world.settle(relay, *workers)
    spread(world)
    world.settle(relay)
    calls: list[int] = []

    def once() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise psycopg.OperationalError("the connection broke")

    streams[dying].before_acknowledge = once
    world.settle(*workers)
    assert (names(world), world.outstanding()) == (every("N"), 0)  # though nothing new has come
    spread(world, name="m")
    world.settle(relay, *workers)
    assert names(world) == every("M")
    assert [row[0] for row in ledger(world)] == list(range(1, 25))
    assert world.outstanding() == 0


def test_a_change_under_two_entry_ids_in_one_batch(world: World) -> None:
    twice(world, in_one_batch=True)


def test_a_change_under_two_entry_ids_in_two_batches(world: World) -> None:
    twice(world, in_one_batch=False)


def twice(world: World, *, in_one_batch: bool) -> None:
    relay, worker = world.relay(), world.worker()
    world.settle(relay, worker)
    account(world, "a")
    world.settle(relay)
    ((partition, (id_, field, document)),) = [
        (partition, entries[0]) for partition, entries in world.entries().items() if entries
    ]
    again = id_.partition("-")[0] + "-9"
    if not in_one_batch:
        world.settle(worker)
        world.app.execute("UPDATE us.account SET name = 'by hand'")
    world.redis.xadd(keys.stream(partition, "changes"), {field: document}, id=again)
    world.settle(worker)
    assert names(world) == {"a": "ANN" if in_one_batch else "by hand"}
    assert (ledger(world), letters(world), world.outstanding()) == ([(1, 1, 1)], [], 0)


def test_without_the_ledger_the_same_would_be_applied_twice(world: World) -> None:
    world.app.execute("""
        CREATE FUNCTION public.forget() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN DELETE FROM orgstream.applied; RETURN NULL; END $$;
        CREATE TRIGGER forget AFTER UPDATE ON us.account FOR EACH ROW EXECUTE FUNCTION public.forget();
        """)
    with pytest.raises(AssertionError):
        twice(world, in_one_batch=False)


def test_a_lease_lost_in_the_middle_changes_nothing(world: World) -> None:
    relay = world.relay()
    streams = Hooked(world.client())
    first = world.worker(streams=streams)
    world.settle(relay, first)
    spread(world)
    world.settle(relay)
    second = world.worker()

    def pause() -> None:  # the first has read its batch; meanwhile its leases run out
        streams.before_acknowledge = lambda: None
        world.lose_leases()
        world.settle(second)

    rules = first._rules
    reading = rules.current

    def current() -> Any:
        pause()
        rules.current = reading  # type: ignore[method-assign]
        return reading()

    rules.current = current  # type: ignore[method-assign]
    spread(world, name="later")
    world.settle(relay)
    with pytest.raises(LeaseLost):
        first.step()
    world.settle(relay, second)
    assert names(world) == every("LATER")
    assert [row[0] for row in ledger(world)] == list(range(1, 25))


def test_a_paused_worker_that_reads_once_more_steals_nothing(world: World) -> None:
    """XREADGROUP knows no fence: what a former holder reads would be missing in the middle of a batch."""
    relay = world.relay()
    streams = Hooked(world.client())
    first, second = world.worker(streams=streams, batch=2), world.worker(batch=2)
    world.settle(relay, first)
    spread(world)
    spread(world, name="m")
    world.settle(relay)

    def pause() -> None:
        streams.before_read = lambda: None
        world.lose_leases()
        while not second.ready:  # its clock has not moved: the first does not ask for its leases
            second.step()

    streams.before_read = pause
    with contextlib.suppress(LeaseLost):  # unless it finds before that entries are missing
        first.step()
    world.settle(relay, second)
    assert names(world) == every("M")
    assert [row[0] for row in ledger(world)] == list(range(1, 25))


def test_leases_are_shared_evenly_and_given_back(world: World) -> None:
    first = world.worker()
    world.settle(world.relay(), first)
    assert held(first._leases) == [0, 1, 2, 3]
    second = world.worker()
    for _ in range(3):
        world.clock.advance(2)
        world.settle(first, second)
    assert len(held(first._leases)) == len(held(second._leases)) == 2
    first._leases.leave()
    world.clock.advance(2)
    world.settle(second)
    assert held(second._leases) == [0, 1, 2, 3]
    assert world.rows("SELECT DISTINCT term > 1 FROM orgstream.lease WHERE stage = 'apply'") != [(False,)]


def held(leases: Leases) -> list[int]:
    return sorted(leases.held)
