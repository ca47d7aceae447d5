"""Where the database lives and what it knows: after a restore, transaction ids begin anew there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.ports import Fenced
from pipeline.postgres.queries import load

if TYPE_CHECKING:
    import psycopg


class Foundation:
    """The table `foundation`, on the relay's connection. Every method raises psycopg.Error."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._queries = load("foundation")

    def has_moved(self) -> bool:
        """Whether the database was restored elsewhere since a relay looked last."""
        row = self._connection.execute(self._queries["has_moved"]).fetchone()
        return row is not None and bool(row[0])

    def history(self) -> str:
        """A name for what this database knows; two that have parted have two names."""
        row = self._connection.execute(self._queries["history"]).fetchone()
        return str(row[0]) if row else ""

    def refound(self, term: int, floor: int) -> int | None:
        """Begin anew where that is needed, and take every worker's leases; the tick with which it began.

        Their new terms are above `floor`. Raises Fenced.
        """
        with self._connection.transaction():
            self._connection.execute(self._queries["take_time"])
            if self._connection.execute(self._queries["fence"], {"term": term}).rowcount == 0:
                raise Fenced("a later relay has taken over")
            row = self._connection.execute(self._queries["refound"]).fetchone()
            self._connection.execute(self._queries["revoke_workers"], {"floor": floor})
        return row[0] if row else None

    def outbid(self, term: int, floor: int) -> None:
        """Give up the relay's lease, so that its next term is above `floor`."""
        self._connection.execute(self._queries["outbid"], {"term": term, "floor": floor})
