"""The writer: what was captured, into Salesforce, and what Salesforce answered, back into the table.

It works in two halves, `send` and `record`, because between them the reader may already bring the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.connect.answers import Outcome, ends, tell
from pipeline.connect.plan import plan
from pipeline.connect.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import psycopg

    from pipeline.connect.log import Entry, TriggerLog
    from pipeline.connect.org import SalesforceOrg
    from pipeline.connect.plan import Algorithm, Unit
    from pipeline.connect.session import Session
    from pipeline.connect.table import Table

    Known = dict[tuple[str, int], str]

_NEVER_INSERTED: Final = "the record has no sfid: its insert into Salesforce has not succeeded"


class Writer:
    """The writing half of a connection: one for all its mappings, serial, as Heroku Connect's is."""

    def __init__(
        self,
        session: Session,
        log: TriggerLog,
        tables: Sequence[Table],
        org: SalesforceOrg,
        *,
        clock: Callable[[], datetime],
        algorithm: Algorithm,
    ) -> None:
        self._session = session
        self._log = log
        self._tables = {table.name: table for table in tables}
        self._org = org
        self._clock = clock
        self._algorithm = algorithm
        self._outcomes: list[Outcome] = []
        self._unheard: list[Unit] = []
        self._ended_well = False  # of an earlier run, it is not known
        #: Of how many of the next accepted writes Salesforce's answer is lost.
        self.replies_to_lose = 0

    def send(self) -> int:
        """Take what is NEW and write it to Salesforce; how many entries. `record` must follow."""
        self.record()  # what a session that was lost left in hand
        entries = self._session.run(self._claim)
        self._ended_well = False
        units = plan(entries, self._algorithm, list(self._tables))
        known = self._session.run(lambda connection: self._known(connection, units))
        mute = {(unit.table, unit.record_id) for unit in self._unheard}
        for unit in units:
            record = (unit.table, unit.record_id)
            outcome = None if record in mute else self._outcome(unit, known)
            if outcome is None or (outcome.state == "SUCCESS" and self._loses_reply()):
                mute.add(record)  # what follows for this record waits for its answer
                self._unheard.append(unit)
                continue
            self._outcomes.append(outcome)
            if outcome.sfid is not None:
                known[record] = outcome.sfid
        self._ended_well = True
        return len(entries)

    def record(self) -> int:
        """Write Salesforce's answers into the rows and archive the entries; how many answers."""
        answered = len(self._outcomes)
        if self._outcomes or self._unheard:
            self._session.run(self._record)
            self._outcomes, self._unheard = [], []
        return answered

    def _claim(self, connection: psycopg.Connection) -> list[Entry]:
        if not self._ended_well:
            self._log.reopen(connection)
        return self._log.claim(connection)

    def _known(self, connection: psycopg.Connection, units: Sequence[Unit]) -> Known:
        """The ids that rows have by now, of entries captured before they had one."""
        known: Known = {}
        for table in self._tables.values():
            ids = [unit.record_id for unit in units if unit.table == table.name and unit.sfid is None]
            if ids:
                rows = connection.execute(table.rows("sfids"), {"ids": ids}).fetchall()
                known |= {(table.name, record_id): sfid for record_id, sfid in rows if sfid is not None}
        return known

    def _loses_reply(self) -> bool:
        if self.replies_to_lose == 0:
            return False
        self.replies_to_lose -= 1
        return True

    def _outcome(self, unit: Unit, known: Known) -> Outcome:
        table = self._tables.get(unit.table)
        if table is None:
            return Outcome(unit, "IGNORED", message=f"no mapping of table {unit.table}")
        sfid = unit.sfid or known.get((unit.table, unit.record_id))
        try:
            if unit.action == "INSERT":
                return Outcome(unit, "SUCCESS", self._insert(table, unit.values), "INSERTED")
            if sfid is None:
                return self._first_insert(unit, table)
            if unit.action == "DELETE":
                self._org.delete(table.mapping.sobject.name, sfid)
                return Outcome(unit, "SUCCESS", sfid)
            return self._update(unit, table, sfid)
        except Refused as refused:
            return Outcome(unit, "FAILED", sfid, "FAILED", refused.message, self._error(unit, refused))

    def _insert(self, table: Table, written: dict[str, str | None]) -> str:
        name, user = table.mapping.sobject.name, self._org.integration_user
        values = {column: value for column, value in table.sendable(written).items() if value is not None}
        identifier = table.mapping.identifier
        if table.mapping.upsert and identifier is not None and identifier.column in values:
            return self._org.upsert(name, identifier.column, values, user=user)
        return self._org.create(name, values, user=user)

    def _first_insert(self, unit: Unit, table: Table) -> Outcome:
        """A record whose insert failed: merged writes try it anew with the whole row. Raises Refused."""
        row: dict[str, str | None] = {}
        if self._algorithm == "merged" and unit.action == "UPDATE":
            row = self._session.run(lambda connection: table.whole_row(connection, unit.record_id))
        if not row:
            raise Refused("MISSING_ARGUMENT", _NEVER_INSERTED)
        return Outcome(unit, "SUCCESS", self._insert(table, row), "INSERTED")

    def _update(self, unit: Unit, table: Table, sfid: str) -> Outcome:
        values = table.sendable(unit.values)
        if not values:
            return Outcome(unit, "IGNORED", sfid)
        self._org.update(table.mapping.sobject.name, sfid, values, user=self._org.integration_user)
        return Outcome(unit, "SUCCESS", sfid, "UPDATED")

    def _error(self, unit: Unit, refused: Refused) -> str:
        told = {"op": unit.action, "code": refused.code, "msg": refused.message, "ts": self._clock()}
        return msgspec.json.encode(told).decode()

    def _record(self, connection: psycopg.Connection) -> None:
        tell(connection, self._tables.values(), self._outcomes)
        self._log.archive(connection, [end for outcome in self._outcomes for end in ends(outcome)])
        self._log.again(connection, [entry for unit in self._unheard for entry in unit.entries])
