"""Which range may go, over random states, held to what is said of it in plain words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.postgres.migrate import migrate
from pipeline.postgres.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
RETENTION: Final = 100  # seconds
SIZE: Final = 10
RANGES: Final = 3


class Range(NamedTuple):
    age: int | None  # since it ended, in seconds
    writers: int  # all had lower transaction ids
    emptied: bool


class State(NamedTuple):
    ranges: list[Range]
    ticks: list[tuple[int, int, bool]]  # oldest running transaction, changes, published
    positions: list[tuple[int, int]]
    needed: list[tuple[int, bool]]  # change, whether a letter or held behind one


RANGE = st.builds(
    Range,
    st.none() | st.sampled_from([99, 101, 5000]),
    st.integers(1, 30),
    st.booleans() | st.just(value=False),
)
TICK = st.tuples(st.integers(1, 40), st.integers(0, 3), st.booleans() | st.just(value=True))
POSITION = st.tuples(st.integers(0, 4), st.integers(0, 4))
STATE = st.builds(
    State,
    st.lists(RANGE, min_size=RANGES, max_size=RANGES),
    st.lists(TICK, max_size=4),
    st.lists(POSITION, max_size=3) | st.lists(st.tuples(st.just(4), st.just(4)), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(1, RANGES * SIZE), st.booleans()), max_size=2),
)


def first_to_go(state: State) -> int | None:
    """The number of the range that `due` has to name."""
    ticks = [(0, 1, 0), *((n, xmin, size) for n, (xmin, size, out) in enumerate(state.ticks, 1) if out)]
    applied = [t for t in ticks if state.positions and all((t[0], t[2]) <= p for p in state.positions)]
    if not applied or applied[-1][0] == 0:
        return None
    ended_before = applied[-1][1]
    for number, one in enumerate(state.ranges):
        waited_for = any(number * SIZE < change <= (number + 1) * SIZE for change, _ in state.needed)
        old = one.age is not None and one.age >= RETENTION
        if old and not one.emptied and not waited_for and one.writers < ended_before:
            return number
    return None


@pytest.fixture(scope="module")
def database(postgres_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS orgstream CASCADE")
        migrate(connection)
        yield connection
        connection.execute("DROP SCHEMA orgstream CASCADE")


def fill(database: psycopg.Connection, state: State) -> None:
    database.execute("UPDATE orgstream.retention SET moment = %s", [NOW])
    database.execute("DELETE FROM orgstream.change_range")
    for number, one in enumerate(state.ranges):
        closed = None if one.age is None else NOW - timedelta(seconds=one.age)
        database.execute(
            "INSERT INTO orgstream.change_range"
            " (first, beyond, closed_at, closed_xid, closed_tick, emptied_at)"
            " VALUES (%s, %s, %s, %s::xid8, 0, %s)",
            [
                number * SIZE + 1,
                (number + 1) * SIZE + 1,
                closed,
                str(one.writers),
                NOW if one.emptied else None,
            ],
        )
    for id_, (xmin, changes, published) in enumerate(state.ticks, 1):
        database.execute(
            "INSERT INTO orgstream.tick"
            " (id, snapshot, queue_position, queue_end, xid, changes, published_at)"
            " VALUES (%s, (%s::text || ':100:')::pg_snapshot, 0, 0, '100', %s, %s)",
            [id_, xmin, changes if published else None, NOW if published else None],
        )
    database.execute("INSERT INTO orgstream.lease (stage, partition, term) VALUES ('relay', 0, 7)")
    for partition, (tick, ordinal) in enumerate(state.positions):
        database.execute(
            "INSERT INTO orgstream.lease (stage, partition, position_tick, position_ordinal)"
            " VALUES ('apply', %s, %s, %s)",
            [partition, tick, ordinal],
        )
    for rule, (change, letter) in enumerate(state.needed):
        if letter:
            database.execute(
                "INSERT INTO orgstream.dead_letter (change_id, rule, source_table, cause, message)"
                " VALUES (%s, %s, 'a.b', 'refused', 'x')",
                [change, str(rule)],
            )
        else:
            database.execute(
                "INSERT INTO orgstream.held_change (change_id, rule_id, partition) VALUES (%s, %s, 0)",
                [change, rule],
            )


@settings(max_examples=150, deadline=None)
@given(state=STATE)
def test_the_range_that_goes_first(database: psycopg.Connection, state: State) -> None:
    with database.transaction(force_rollback=True):
        fill(database, state)
        row = database.execute(load("retention")["due"], {"retention": RETENTION, "term": 7}).fetchone()
        other = database.execute(load("retention")["due"], {"retention": RETENTION, "term": 6}).fetchone()
    expected = first_to_go(state)
    assert other is None
    assert (None if row is None else (row[0] - 1) // SIZE) == expected
