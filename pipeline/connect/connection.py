"""One Heroku Connect add-on: one org, one schema, a writer and a reader, and what its dashboard can do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal, Self

from pipeline.connect.log import TriggerLog
from pipeline.connect.reader import Reader
from pipeline.connect.schema import install
from pipeline.connect.session import Session
from pipeline.connect.table import Table
from pipeline.connect.writer import Writer
from pipeline.errors import Failure

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from pipeline.connect.org import SalesforceOrg
    from pipeline.connect.plan import Algorithm
    from pipeline.connect.sobject import Mapping

#: Cycles in which `settle` expects everything to have come to rest.
CYCLES: Final = 1_000


class NotSettled(Failure):
    """Raised when changes go round without end or cannot move: the message says what is left and why."""


class Connection:
    """An add-on's connection; one thread uses it. The org may be edited from others at the same time.

    Seconds, by `clock`: `write_delay` from a capture to its write into Salesforce (at most 10 in Heroku
    Connect), `poll_seconds` between polls of Salesforce (120 to 3600 there), `echo_delay` from a poll to its
    delivery into the table. Each is stretched by up to `jitter` of itself, as `rng` says.
    """

    def __init__(
        self,
        url: str,
        schema: str,
        mappings: Sequence[Mapping],
        *,
        org: SalesforceOrg,
        clock: Callable[[], datetime],
        rng: random.Random,
        algorithm: Algorithm = "ordered",
        write_delay: float = 10.0,
        poll_seconds: float = 120.0,
        echo_delay: float = 0.0,
        jitter: float = 0.0,
        archive_days: int = 31,
    ) -> None:
        for mapping in mappings:
            org.define(mapping.sobject)
        self.schema = schema
        self.org = org
        self.state: Literal["IDLE", "PAUSED"] = "IDLE"
        self._clock = clock
        self._rng = rng
        self._write_delay = write_delay
        self._poll_seconds = poll_seconds
        self._echo_delay = echo_delay
        self._jitter = jitter
        self._session = Session(url, schema)
        self._tables = [Table(schema, mapping, org) for mapping in mappings]
        self._log = TriggerLog(schema, clock, timedelta(days=archive_days))
        self._writer = Writer(self._session, self._log, self._tables, org, clock=clock, algorithm=algorithm)
        self._reader = Reader(self._session, self._tables, org)
        self._write_at: datetime | None = None
        self._poll_at: datetime | None = None

    def install(self) -> None:
        """Create schema, logs, tables and triggers, or bring them up to date. Safe to run at any time."""
        self._session.run(lambda connection: install(connection, self.schema, self._tables, self.org))

    def adopt(self) -> int:
        """Give the org the records the tables hold: its memory after a restart; how many were new."""
        count = 0
        for table in self._tables:
            rows = self._session.run(table.stored)
            count += self.org.adopt(table.mapping.sobject.name, rows)
        return count

    # One thing at a time -------------------------------------------------------------------------------

    def write(self) -> int:
        """One cycle of the writer: captured changes into Salesforce, its answers into the rows; how many."""
        count = self.send()
        self.record()
        return count

    def read(self) -> int:
        """One cycle of the reader: what changed in Salesforce into the tables; how many records."""
        self.query()
        return self.deliver()

    def send(self) -> int:
        """The first half of `write`: into Salesforce."""
        return 0 if self.state == "PAUSED" else self._writer.send()

    def record(self) -> int:
        """The second half of `write`: its answers into the rows, the entries to the archive."""
        return self._writer.record()

    def query(self) -> int:
        """The first half of `read`: the changed records as Salesforce has them now."""
        if self.state == "PAUSED":
            return 0
        return self._reader.query(self._after(self._echo_delay))

    def deliver(self) -> int:
        """The second half of `read`: into the tables, whatever is in them by now."""
        return self._reader.deliver()

    # All of it, by the clock ---------------------------------------------------------------------------

    def step(self) -> bool:
        """Do what is due by the clock and the delays; False when nothing is outstanding."""
        if self.state != "PAUSED":
            self._read_when_due(self._clock())
            self._write_when_due(self._clock())
        return not self.quiet()

    def quiet(self) -> bool:
        """Whether nothing is outstanding in either direction."""
        return not self._reader.is_outstanding and not self._session.run(self._log.is_outstanding)

    def settle(self) -> int:
        """Read and write without delays until nothing is outstanding; how many cycles. Raises NotSettled."""
        for cycle in range(CYCLES):
            if self.quiet():
                return cycle
            if self.state == "PAUSED":
                raise NotSettled(
                    f"the connection of {self.schema} is paused with changes outstanding: resume it"
                )
            self.write()
            self.read()
        raise NotSettled(f"changes of {self.schema} still go round after {CYCLES} cycles: look for a loop")

    # What its dashboard can do -------------------------------------------------------------------------

    def pause(self) -> None:
        """Finish what is in hand, then neither poll nor write; changes go on filling the trigger log."""
        self.record()
        self.deliver()
        self.state = "PAUSED"

    def resume(self) -> None:
        """Go on where it was paused."""
        self.state = "IDLE"

    def reload(self, sobject: str, *, truncate: bool = True, restart_ids: bool = False) -> int:
        """Clear an object's table and load it again: every row gets a new id; how many rows.

        Rows that have not reached Salesforce are gone from the table. Whether Heroku Connect truncates or
        deletes is not published, and its ids may start again; both can be had. Raises ValueError.
        """
        return self._reader.reload(self._table(sobject), truncate=truncate, restart_ids=restart_ids)

    def resync(self, sobject: str) -> None:
        """Have the next poll bring every record of an object again, as after a change of the mapping.

        It updates the rows in place. Raises ValueError.
        """
        self._reader.resync(self._table(sobject).name)

    def lose_replies(self, count: int) -> None:
        """Lose Salesforce's answer to the next `count` accepted writes; the writer sends them again."""
        self._writer.replies_to_lose = count

    def close(self) -> None:
        """Give the database connection back."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read_when_due(self, now: datetime) -> None:
        if self._poll_at is None or now >= self._poll_at:
            self._poll_at = self._after(self._poll_seconds)
            self.query()
        self._reader.deliver(now)

    def _write_when_due(self, now: datetime) -> None:
        if self._write_at is None and self._session.run(self._log.is_outstanding):
            self._write_at = self._after(self._write_delay)
        if self._write_at is not None and now >= self._write_at:
            self._write_at = None
            self.write()

    def _after(self, seconds: float) -> datetime:
        return self._clock() + timedelta(seconds=seconds * (1 + self._jitter * self._rng.random()))

    def _table(self, sobject: str) -> Table:
        for table in self._tables:
            if table.name == sobject.lower():
                return table
        mapped = ", ".join(table.mapping.sobject.name for table in self._tables)
        raise ValueError(f"{sobject} is not mapped in {self.schema}; mapped are: {mapped}")
