"""No change is lost and none overtakes another of its record, whenever its transaction commits."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.integration.relay.outbox import captured_ids, published_ids, take_all

if TYPE_CHECKING:
    import psycopg

    from tests.fixtures.world import World
    from tests.integration.relay.outbox import History

RECORDS = "abcd"


def test_a_late_commit_of_an_early_id(world: World) -> None:
    relay = world.relay()
    early = world.session()
    early.execute("INSERT INTO emea.account VALUES ('early')")
    world.app.execute("INSERT INTO emea.account VALUES ('late')")
    world.settle(relay)
    assert published_ids(world) == [2]
    early.commit()
    world.settle(relay)
    assert published_ids(world) == [1, 2]


def test_an_open_transaction_holds_nothing_back(world: World) -> None:
    relay = world.relay()
    early = world.session()
    early.execute("INSERT INTO emea.account VALUES ('early')")
    for number in range(20):
        world.app.execute("INSERT INTO emea.account VALUES (%s)", [str(number)])
        world.settle(relay)
    assert published_ids(world) == list(range(2, 22))
    early.execute("UPDATE emea.account SET name = 'x' WHERE ext_id = 'early'")  # an id above all others
    early.commit()
    world.settle(relay)
    assert published_ids(world) == captured_ids(world)


def test_a_rolled_back_transaction_leaves_a_gap_and_no_wait(world: World) -> None:
    relay = world.relay()
    session = world.session()
    session.execute("INSERT INTO emea.account VALUES ('gone')")
    world.settle(relay)
    session.rollback()
    world.app.execute("INSERT INTO emea.account VALUES ('there')")
    world.settle(relay)
    assert published_ids(world) == [2]


def test_transactions_without_changes_take_no_ticks(world: World) -> None:
    relay = world.relay()
    world.app.execute("INSERT INTO emea.account VALUES ('a')")
    for _ in range(5):
        session = world.session()
        session.execute("SELECT pg_current_xact_id()")
        world.settle(relay)
        session.commit()
        world.settle(relay)
    assert world.rows("SELECT count(*) FROM orgstream.tick WHERE id > 0") == [(1,)]


def test_late_ids_are_found_beyond_many_ticks(world: World) -> None:
    """Several transactions open at once, each older than several ticks, end in no order."""
    relay = world.relay()
    sessions = [world.session() for _ in range(3)]
    for number, session in enumerate(sessions):
        session.execute("INSERT INTO emea.account VALUES (%s)", [f"open {number}"])
        world.app.execute("INSERT INTO emea.account VALUES (%s)", [f"between {number}"])
        world.settle(relay)
    for session in (sessions[1], sessions[2], sessions[0]):
        session.commit()
        world.settle(relay)
        assert published_ids(world) == captured_ids(world)


class Reader(Protocol):
    """Reads what is new in the outbox into a history."""

    def read(self) -> None: ...


class Relayed:
    """The relay, read as a worker would."""

    def __init__(self, world: World, seen: History) -> None:
        self._world = world
        self._seen = seen
        self._relay = world.relay(batch=3)

    def read(self) -> None:
        self._world.settle(self._relay)
        take_all(self._world, self._seen)


class Naive:
    """What a reader by `id > last` sees: the mistake that ticks avoid."""

    def __init__(self, world: World, seen: History) -> None:
        self._world = world
        self._seen = seen
        self._last = 0

    def read(self) -> None:
        for id_, row in self._world.rows(
            "SELECT id, after FROM orgstream.change_queue WHERE id > %s ORDER BY id", [self._last]
        ):
            self._last = id_
            self._seen.setdefault(row["ext_id"], []).append(row["name"])


class Writers:
    """Connections that begin, write and commit in a random order; what each record became, as committed."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self._rng = rng
        self._sessions = [world.session() for _ in range(len(RECORDS))]
        self._open: dict[int, dict[str, list[str]]] = {}  # session -> its writes
        self._number = 0
        self.committed: History = {}

    def move(self) -> None:
        """One step of one of them."""
        place = self._rng.randrange(len(self._sessions))
        session = self._sessions[place]
        if place in self._open and self._rng.random() < 0.35:
            self._end(session, self._open.pop(place), commit=self._rng.random() < 0.8)
        else:
            self._write(session, self._open.setdefault(place, {}))

    def end(self) -> None:
        """Commit everything."""
        for place, writes in self._open.items():
            self._end(self._sessions[place], writes, commit=True)
        self._open.clear()

    def _write(self, session: psycopg.Connection, writes: dict[str, list[str]]) -> None:
        taken = {record for other in self._open.values() if other is not writes for record in other}
        record = self._rng.choice(RECORDS)
        if record in taken:  # it would wait for that one's row lock
            session.execute("SELECT pg_current_xact_id()")
            return
        self._number += 1
        session.execute(
            "INSERT INTO emea.account (ext_id, name) VALUES (%s, %s)"
            " ON CONFLICT (ext_id) DO UPDATE SET name = excluded.name",
            [record, str(self._number)],
        )
        writes.setdefault(record, []).append(str(self._number))

    def _end(self, session: psycopg.Connection, writes: dict[str, list[str]], *, commit: bool) -> None:
        if not commit:
            session.rollback()
            return
        session.commit()
        for record, values in writes.items():
            self.committed.setdefault(record, []).extend(values)


def misread(world: World, seed: int, kind: type[Relayed | Naive]) -> bool:
    """Whether a reader, run beside random writers, saw anything else than what was committed."""
    rng = random.Random(seed)
    writers = Writers(world, rng)
    seen: History = {}
    reader: Reader = kind(world, seen)
    for _ in range(80):
        writers.move()
        if rng.random() < 0.5:
            reader.read()
    writers.end()
    reader.read()
    return seen != writers.committed


@pytest.mark.parametrize("seed", range(4))
def test_each_change_is_published_once_and_in_the_order_of_its_record(world: World, seed: int) -> None:
    assert not misread(world, seed, Relayed)


def test_a_reader_by_id_would_fail_the_same_check(world: World) -> None:
    assert misread(world, 0, Naive)
