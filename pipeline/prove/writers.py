"""The process of the writers: concurrent sessions that change hot records, and note what they committed.

They look at nothing that capture or the pipeline wrote.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec
import psycopg

from pipeline.postgres.queries import load
from pipeline.proof.chance import chance
from pipeline.prove.journal import Committed, Event, JournalWriter
from pipeline.prove.script import draw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.prove.script import Script
    from pipeline.signals import Stop

#: How long the longest transactions stay open, in seconds.
LONGEST_SECONDS: Final = 6.0
_LOOK_SECONDS: Final = 0.1
_DEBT_SECONDS: Final = 1.0  # what an outage kept a writer from doing is not made up for, but for so much


class Plan(msgspec.Struct, frozen=True):
    """What the writers are told at their start. `rate` is of all writers together, in changes/s."""

    writers: int
    sleepers: int
    slots: int
    rate: float
    seed: int


def run_writers(url: str, folder: Path, stop: Stop) -> None:
    """Write as the folder's plan says until told to stop, and then until every outcome is known.

    Raises what a writer raises.
    """
    plan = msgspec.json.decode((folder / "plan").read_bytes(), type=Plan)
    stamps = itertools.count(1)
    with contextlib.closing(JournalWriter(folder / "journal")) as journal:
        writers = [
            _Writer(url, plan, number, lambda: next(stamps), journal)
            for number in range(plan.writers + plan.sleepers)
        ]
        for writer in writers:
            writer.start()
        while not stop.wait(_LOOK_SECONDS) and all(writer.is_alive() for writer in writers):
            pass
        for writer in writers:
            writer.ending.set()
        for writer in writers:
            writer.join()
        tally = sum((writer.tally for writer in writers), Counter[str]())
        (folder / "tally").write_bytes(msgspec.json.encode(tally))
        for writer in writers:
            if writer.error is not None:
                raise writer.error


class _Writer(threading.Thread):
    """One session after the other, each to its first outage."""

    def __init__(
        self, url: str, plan: Plan, number: int, stamps: Callable[[], int], journal: JournalWriter
    ) -> None:
        super().__init__(name=f"writer {number}", daemon=True)
        self.ending = threading.Event()
        self.tally: Counter[str] = Counter()
        self.error: BaseException | None = None
        self._url = url
        self._plan = plan
        self._rate = plan.rate / plan.writers
        self._seconds = LONGEST_SECONDS if number >= plan.writers else 0.0
        self._rng = chance(plan.seed, f"writer {number}")
        self._stamps = stamps
        self._journal = journal
        self._queries = load("prove")
        self._number = number
        self._transactions = 0
        self._open: Committed | None = None  # the transaction in hand, once it may be committed

    def run(self) -> None:
        try:
            while not self.ending.is_set() or self._open is not None:
                try:
                    self._work()
                except (psycopg.OperationalError, psycopg.Rollback):  # Rollback, where it found no session
                    self.tally["sessions lost"] += 1
                    time.sleep(_LOOK_SECONDS)
        except BaseException as error:  # noqa: BLE001  # handed over to the thread that waits for us
            self.error = error

    def _work(self) -> None:
        with psycopg.connect(
            self._url, autocommit=True, application_name="prove writer", connect_timeout=10
        ) as connection:
            connection.execute(self._queries["prepare_writer"])
            self._settle(connection)
            began, done = time.monotonic(), 0
            while not self.ending.is_set():
                done += self._transact(connection)
                wanted = began + done / self._rate
                began += max(0.0, time.monotonic() - wanted - _DEBT_SECONDS)
                self.ending.wait(max(0.0, wanted - time.monotonic()))

    def _transact(self, connection: psycopg.Connection) -> int:
        """One transaction; how many changes it committed."""
        script = draw(self._rng, self._plan.slots, self._stamps, seconds=self._seconds)
        try:
            with connection.transaction():
                committed = self._play(connection, script)
                changes = committed.changes if script.commits else 0
                if not changes:
                    raise psycopg.Rollback
                self._transactions += 1
                connection.execute(
                    self._queries["sign"], {"writer": self._number, "number": self._transactions}
                )
                self._open = committed  # from here on its outcome has to be known
        except (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable):
            self.tally["conflicts"] += 1
            return 0
        self._note("committed" if changes else "rolled back")
        return changes

    def _play(self, connection: psycopg.Connection, script: Script) -> Committed:
        """Go through the steps; what the transaction comes to."""
        changes, events = 0, []
        for step in script.steps:
            with connection.transaction():
                rows = connection.execute(
                    self._queries["change"], {"wishes": msgspec.json.encode(step.wishes).decode()}
                ).fetchall()
                if step.undone:
                    raise psycopg.Rollback
                for number, key, version, a, b, c in rows:
                    changes += number
                    events.append(Event(key, version, None if a is None else (version, a, b, c)))
            self.ending.wait(step.pause)
        return Committed(changes, tuple(events))

    def _settle(self, connection: psycopg.Connection) -> None:
        """Ask the source what became of the transaction whose answer was lost."""
        if self._open is None:
            return
        self.tally["answers lost"] += 1
        row = connection.execute(self._queries["signed"], {"writer": self._number}).fetchone()
        self._note("committed" if row is not None and row[0] == self._transactions else "aborted")

    def _note(self, outcome: str) -> None:
        """The transaction in hand, if any, is over: `committed` or not."""
        if self._open is not None and outcome == "committed":
            self._journal.write(self._open)
        self._open = None
        self.tally[outcome] += 1
