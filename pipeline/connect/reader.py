"""The reader: polls what changed in Salesforce and brings it into the tables, the writes' echo too.

It works in two halves, `query` and `deliver`: what the table gets may be old by then.
"""

from __future__ import annotations

import functools
from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec
import psycopg

from pipeline.connect.field import Value
from pipeline.log import get_logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.connect.field import Row
    from pipeline.connect.org import SalesforceOrg
    from pipeline.connect.session import Session
    from pipeline.connect.table import Table

#: Rows in one transaction.
BATCH: Final = 2_000
#: How often a row that somebody inserts at the same moment is looked for again.
LOOKS: Final = 5

log = get_logger()


class Poll(msgspec.Struct, frozen=True):
    """What one poll of one object found, and when it may be delivered."""

    table: str
    due: datetime
    deleted: list[str]
    rows: list[dict[str, Value]]


class Reader:
    """The reading half of a connection."""

    def __init__(self, session: Session, tables: Sequence[Table], org: SalesforceOrg) -> None:
        self._session = session
        self._tables = {table.name: table for table in tables}
        self._org = org
        self._positions = dict.fromkeys(self._tables, 0)
        self._polls: list[Poll] = []

    @property
    def is_outstanding(self) -> bool:
        """Whether Salesforce has changes that are not in the tables."""
        return bool(self._polls) or any(
            self._org.has_changes(table.mapping.sobject.name, self._positions[table.name])
            for table in self._tables.values()
        )

    def query(self, due: datetime) -> int:
        """Poll every object: its changed records as they are now, delivered from `due` on; how many."""
        return sum(self._query(table, due) for table in self._tables.values())

    def deliver(self, now: datetime | None = None) -> int:
        """Bring the polls that are due (all of them without `now`) into the tables; how many records."""
        count = 0
        while self._polls and (now is None or self._polls[0].due <= now):
            poll = self._polls[0]
            self._deliver(self._tables[poll.table], poll)
            count += len(poll.deleted) + len(poll.rows)
            del self._polls[0]
        return count

    def resync(self, table: str) -> None:
        """Have the next poll bring every record again."""
        self._positions[table] = 0

    def reload(self, table: Table, *, truncate: bool, restart_ids: bool) -> int:
        """Clear the table and load it anew, in batches of their own; how many rows."""
        self._polls = [poll for poll in self._polls if poll.table != table.name]
        self._session.run(lambda connection: _clear(connection, table, truncate, restart_ids))
        self._positions[table.name] = self._org.position
        rows = self._org.query(table.mapping.sobject.name)
        self._bring(table, rows)
        return len(rows)

    def _query(self, table: Table, due: datetime) -> int:
        changes = self._org.changes(table.mapping.sobject.name, self._positions[table.name])
        if changes:
            self._positions[table.name] = changes[-1].sequence
            deleted = [change.sfid for change in changes if change.row is None]
            rows = [change.row for change in changes if change.row is not None]
            self._polls.append(Poll(table.name, due, deleted, rows))
        return len(changes)

    def _deliver(self, table: Table, poll: Poll) -> None:
        if poll.deleted:
            self._session.run(lambda connection: _remove(connection, table, poll.deleted))
        self._bring(table, poll.rows)

    def _bring(self, table: Table, rows: Sequence[Row], batch: int = BATCH) -> None:
        """Write rows in batches; one that a unique index refuses is left out, with only a line in the log."""
        for start in range(0, len(rows), batch):
            some = rows[start : start + batch]
            try:
                self._session.run(functools.partial(_bring, table, some))
            except psycopg.errors.UniqueViolation as error:
                if len(some) > 1:
                    self._bring(table, some, batch=1)
                else:
                    log.warning("a record could not be read", action="connect_read_failed", error=error)


def _bring(table: Table, rows: Sequence[Row], connection: psycopg.Connection) -> None:
    """Update the rows known by sfid, else by the unique identifier; insert the rest."""
    missing = {str(row["sfid"]): {column: row.get(column) for column in table.columns} for row in rows}
    steps = ["refresh", *(["recognise"] if table.mapping.identifier else []), "add"]
    for _ in range(LOOKS):
        for step in steps:
            if missing:
                text = msgspec.json.encode(list(missing.values())).decode()
                for (sfid,) in connection.execute(table.rows(step), {"rows": text}).fetchall():
                    missing.pop(sfid, None)


def _remove(connection: psycopg.Connection, table: Table, sfids: Sequence[str]) -> None:
    connection.execute(table.rows("remove"), {"sfids": list(sfids)})


def _clear(connection: psycopg.Connection, table: Table, truncate: bool, restart_ids: bool) -> None:
    connection.execute(table.rows("empty_by_truncate" if truncate else "empty_by_delete"))
    if restart_ids:
        connection.execute(table.rows("restart_ids"))
