"""The leases in Postgres, by its clock, so that they outlast Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.postgres.queries import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    from pipeline.process import Process


class PostgresLeaseTable:
    """The tables `lease` and `process` on one connection."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._queries = load("lease")

    def prepare(self, stages: Sequence[str], partitions: int) -> None:
        """See `LeaseTable`."""
        self._connection.execute(self._queries["prepare"], {"stages": list(stages), "partitions": partitions})

    def announce(self, process: Process) -> None:
        """See `LeaseTable`."""
        self._connection.execute(
            self._queries["announce"], {**msgspec.structs.asdict(process), "stages": list(process.stages)}
        )

    def sharers(self, stages: Sequence[str], seconds: float) -> dict[str, list[str]]:
        """See `LeaseTable`. Gone is a process whose Postgres session is."""
        parameters = {"stages": list(stages), "seconds": seconds}
        return dict(self._connection.execute(self._queries["sharers"], parameters).fetchall())

    def grant(
        self, holder: str, stages: Sequence[str], partitions: Sequence[int], *, seconds: float, count: int
    ) -> list[tuple[str, int, int, int, int]]:
        """See `LeaseTable`."""
        with self._connection.transaction():
            self._connection.execute(self._queries["serialise"])
            return self._connection.execute(
                self._queries["grant"],
                {
                    "holder": holder,
                    "stages": list(stages),
                    "partitions": list(partitions),
                    "seconds": seconds,
                    "count": count,
                },
            ).fetchall()

    def renew(self, holder: str, stages: Sequence[str], seconds: float) -> list[tuple[str, int, int]]:
        """See `LeaseTable`."""
        return self._connection.execute(
            self._queries["renew"], {"holder": holder, "stages": list(stages), "seconds": seconds}
        ).fetchall()

    def release(self, holder: str, stages: Sequence[str], partitions: Sequence[int]) -> None:
        """See `LeaseTable`."""
        self._connection.execute(
            self._queries["release"],
            {"holder": holder, "stages": list(stages), "partitions": list(partitions)},
        )

    def forget(self, process: str) -> None:
        """See `LeaseTable`."""
        self._connection.execute(self._queries["forget"], {"id": process})
