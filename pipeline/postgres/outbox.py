"""The outbox in Postgres: `change_queue` and `tick`, as the relay reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.ports import Fenced, Look
from pipeline.postgres.queries import load
from pipeline.ticks import Tick, ticks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    from pipeline.publication import QueueRow
    from pipeline.ticker import Due


class PostgresOutbox:
    """The outbox on one connection, which from then on reads the queue along its primary key."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._queries = load("relay")
        connection.execute(self._queries["read_by_id"])

    def unpublished(self) -> list[Tick]:
        """See `Outbox`."""
        return ticks_of(self._connection.execute(self._queries["last_published"]).fetchall())

    def ticks_from(self, first: int) -> list[Tick]:
        """See `Outbox`."""
        return ticks_of(self._connection.execute(self._queries["from_tick"], {"id": first}).fetchall())

    def look(self, last: Tick) -> Look:
        """See `Outbox`."""
        row = self._connection.execute(
            self._queries["peek"], {"position": last.position, "last": last.snapshot}
        ).fetchone()
        return Look(last.position, last.snapshot, news=False) if row is None else Look(*row)

    def late_changes(self, xids: Sequence[int], after: int, position: int) -> bool:
        """See `Outbox`."""
        row = self._connection.execute(
            self._queries["late_news"], {"after": after, "position": position, "xids": list(map(str, xids))}
        ).fetchone()
        return row is not None and bool(row[0])

    def take(self, tick: int, position: int, term: int) -> Tick:
        """See `Outbox`."""
        taken = self._connection.execute(
            self._queries["take_tick"], {"id": tick, "position": position, "term": term}
        ).fetchone()
        if taken is None:
            raise Fenced("a later relay has taken over")
        return Tick(tick, taken[0], position, published=False, xid=taken[1])

    def position_before(self, tick: int, xid: int) -> int:
        """See `Outbox`."""
        row = self._connection.execute(
            self._queries["position_before"], {"tick": tick, "xid": str(xid)}
        ).fetchone()
        return int(row[0]) if row else 0

    def mark_published(self, tick: int, changes: int) -> None:
        """See `Outbox`."""
        self._connection.execute(self._queries["mark_published"], {"id": tick, "changes": changes})

    def taken_at(self, tick: int) -> str:
        """See `Outbox`."""
        row = self._connection.execute(self._queries["taken_at"], {"id": tick}).fetchone()
        return str(row[0]) if row else ""

    def change_at(self, due: Due, place: int) -> int | None:
        """See `Outbox`."""
        row = self._connection.execute(
            self._queries["change_at"], {**_batch_of(due), "after": due.after, "place": place}
        ).fetchone()
        return None if row is None else int(row[0])

    def batch(self, due: Due, after: int, *, rows: int, size: int) -> list[QueueRow]:
        """See `Outbox`."""
        return self._connection.execute(
            self._queries["batch"],
            {**_batch_of(due), "after": after, "rows": rows, "bytes": size},
            binary=True,
        ).fetchall()


def _batch_of(due: Due) -> dict[str, Any]:
    return {"snapshot": due.tick.snapshot, "last": due.previous.snapshot, "upto": due.tick.upto}
