"""The three backlogs, the same for the pipeline and for native replication."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.postgres.queries import load

if TYPE_CHECKING:
    import psycopg

    from pipeline.bench.sizes import Sizes


class Workload(msgspec.Struct, frozen=True):
    """A backlog: the first `count` accounts are inserted or updated, so many in each transaction."""

    name: str
    statement: str
    count: int
    per_transaction: int
    revision: int  # of each of its accounts afterwards

    def make(self, connection: psycopg.Connection) -> None:
        """Write it."""
        queries = load("bench")
        parameters = {"first": 1, "count": self.count, "per_transaction": self.per_transaction}
        connection.execute(queries[self.statement], parameters)
        connection.execute(queries["vacuum_accounts"])
        connection.execute(queries["settle"])


def workloads(sizes: Sizes) -> tuple[Workload, ...]:
    """In the order in which they are made: each builds on the ones before."""
    return (
        Workload("inserts", "insert_accounts", sizes.bulk, sizes.per_transaction, 0),
        Workload("updates", "update_accounts", sizes.bulk, sizes.per_transaction, 1),
        Workload("singles", "update_accounts", sizes.singles, 1, 2),
    )
