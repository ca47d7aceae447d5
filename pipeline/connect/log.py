"""The trigger log: captured changes are claimed, sent, and moved to the archive with their end state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec
from psycopg import sql

from pipeline.connect.table import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    import psycopg

Action = Literal["INSERT", "UPDATE", "DELETE"]
#: How many entries one cycle of the writer takes.
CLAIMED: Final = 10_000


class Entry(msgspec.Struct, frozen=True):
    """A captured change: of an insert all columns, of an update the changed ones, of a delete none.

    The values are the text that Postgres wrote.
    """

    id: int
    table: str
    action: Action
    record_id: int
    sfid: str | None
    values: dict[str, str | None]


class Ended(msgspec.Struct, frozen=True):
    """An entry's end: its state, the record's Salesforce id, and what Salesforce said."""

    id: int
    state: Literal["SUCCESS", "FAILED", "MERGED", "IGNORED"]
    sfid: str | None = None
    message: str | None = None


class TriggerLog:
    """The two log tables of one schema; every method works in the caller's transaction."""

    def __init__(self, schema: str, clock: Callable[[], datetime], keep: timedelta) -> None:
        self._schema = sql.Identifier(schema)
        self._clock = clock
        self._keep = keep

    def reopen(self, connection: psycopg.Connection) -> None:
        """Make NEW again what an earlier run left PENDING."""
        connection.execute(self._query("reopen"))

    def claim(self, connection: psycopg.Connection) -> list[Entry]:
        """Take what is NEW, oldest first; it is PENDING then. What is not to be sent goes to the archive."""
        now = self._clock()
        connection.execute(self._query("requeue"), {"now": now})
        connection.execute(self._query("archive_unsent"), {"now": now})
        connection.execute(self._query("purge"), {"before": now - self._keep})
        rows = connection.execute(self._query("claim"), {"now": now, "limit": CLAIMED}).fetchall()
        decode = msgspec.json.Decoder(dict[str, str | None]).decode
        return [
            Entry(id_, table, action, record_id, sfid, decode(values))
            for id_, table, action, record_id, sfid, values in sorted(rows, key=lambda row: int(row[0]))
        ]

    def again(self, connection: psycopg.Connection, ids: Sequence[int]) -> None:
        """Give claimed entries back: NEW again."""
        connection.execute(self._query("again"), {"ids": list(ids)})

    def archive(self, connection: psycopg.Connection, ended: Sequence[Ended]) -> None:
        """Move claimed entries to the archive."""
        text = msgspec.json.encode(ended).decode()
        connection.execute(self._query("archive"), {"ended": text, "now": self._clock()})

    def is_outstanding(self, connection: psycopg.Connection) -> bool:
        """Whether any entry still waits for its end state."""
        return connection.execute(self._query("outstanding")).fetchone() == (True,)

    def _query(self, name: str) -> sql.Composed:
        return sql.SQL(statements("log")[name]).format(schema=self._schema)
