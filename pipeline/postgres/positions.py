"""How far everything has come, by the rows of `lease` and `tick`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.postgres.queries import load

if TYPE_CHECKING:
    import psycopg

    from pipeline.leases import EntryId


class PostgresPositions:
    """The positions, asked on one connection."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._queries = load("lease")

    def applied(self) -> dict[int, EntryId]:
        """See `Positions`."""
        rows = self._connection.execute(self._queries["positions"]).fetchall()
        return {partition: (tick, ordinal) for partition, tick, ordinal in rows}

    def newest_tick(self) -> int:
        """See `Positions`."""
        row = self._connection.execute(self._queries["newest_tick"]).fetchone()
        return row[0] if row else 0
