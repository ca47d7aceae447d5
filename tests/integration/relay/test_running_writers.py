"""A writer at work when a tick is taken, with a transaction id that the snapshot does not list.

The xmax of a snapshot is one past the last transaction that ended, so a younger writer that has drawn its
change ids already lies beyond it.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import psycopg
import pytest

from pipeline.leases import Leases
from pipeline.postgres.lease_table import PostgresLeaseTable
from pipeline.postgres.outbox import PostgresOutbox
from pipeline.postgres.queries import load
from pipeline.process import Process
from pipeline.status import read_status
from pipeline.ticker import Due, Ticker

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANGE = (
    "INSERT INTO orgstream.change_queue (table_schema, table_name, operation, key, after, origin) "
    "VALUES ('emea', 'account', 'INSERT', '{\"id\": 1}', '{\"id\": 1}', 'application') RETURNING id"
)


@pytest.fixture
def relay(migrated: None, database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def writer(stack: contextlib.ExitStack, url: str) -> psycopg.Connection:
    return stack.enter_context(psycopg.connect(url))


def write(connection: psycopg.Connection) -> int:
    """A change, not committed yet: its transaction has its id before it draws the change's."""
    connection.execute("SELECT pg_current_xact_id()")
    row = connection.execute(CHANGE).fetchone()
    assert row is not None
    return int(row[0])


def test_its_changes_are_in_the_next_batch(relay: psycopg.Connection, database_url: str) -> None:
    leases = Leases(
        PostgresLeaseTable(relay),
        Process("a", "relay", "here", 1),
        stages=["relay"],
        partitions=1,
        seconds=60,
    )
    (grant,), _ = leases.tend()
    term = grant.terms["relay"]
    ticker = Ticker(PostgresOutbox(relay))
    ticker.resume()
    with contextlib.ExitStack() as stack:
        older, younger = writer(stack, database_url), writer(stack, database_url)
        first = write(older)
        second = write(younger)
        older.commit()
        due = ticker.next(term)
        assert due is not None
        assert batch(relay, due) == [first]
        ticker.published(due.tick, 1)
        younger.commit()
    # Another relay takes over here: it knows of the tick only what stands in the database.
    later = Ticker(PostgresOutbox(relay))
    later.resume()
    for each in (ticker, later):
        assert each.last.position >= second
    due = later.next(term)
    assert due is not None, "nobody looks for the change any more"
    assert batch(relay, due) == [second]


def test_its_changes_count_as_backlog(relay: psycopg.Connection, database_url: str) -> None:
    leases = Leases(
        PostgresLeaseTable(relay),
        Process("a", "relay", "here", 1),
        stages=["relay"],
        partitions=1,
        seconds=60,
    )
    (grant,), _ = leases.tend()
    ticker = Ticker(PostgresOutbox(relay))
    ticker.resume()
    with contextlib.ExitStack() as stack:
        older, younger = writer(stack, database_url), writer(stack, database_url)
        write(older)
        write(younger)
        older.commit()
        due = ticker.next(grant.terms["relay"])
        assert due is not None
        ticker.published(due.tick, 1)
        younger.commit()
    assert read_status(relay, None, lease_seconds=5, partitions=1).backlog == 1


def batch(connection: psycopg.Connection, due: Due) -> list[int]:
    rows = connection.execute(
        load("relay")["batch"],
        {
            "after": due.after,
            "snapshot": due.tick.snapshot,
            "last": due.previous.snapshot,
            "upto": due.tick.upto,
            "rows": 100,
            "bytes": 10**6,
        },
    )
    return [row[0] for row in rows]
