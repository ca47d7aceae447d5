"""Settling dead letters: what waited behind them is applied, in order, under the lease of the partition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.ports import LeaseLost
from pipeline.postgres.queries import load
from pipeline.postgres.writer import Repeated, Writer, array
from stages.apply import plan_writes
from stages.hold import Holds

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    from pipeline.postgres.holds import KnownHolds
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules


class Refused(Exception):
    """Raised when a change that is released fails once more."""

    def __init__(self, cause: str, message: str, sqlstate: str | None) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message
        self.sqlstate = sqlstate


class Lease(msgspec.Struct, frozen=True):
    """The right to settle the letters of a partition."""

    partition: int
    term: int


class LetterDesk:
    """The transactions that settle letters, on one worker's connection."""

    def __init__(self, connection: psycopg.Connection, holder: str, holds: KnownHolds) -> None:
        self._connection = connection
        self._holder = holder
        self._holds = holds
        self._writer = Writer(connection)
        self._queries = load("holds")

    def release(
        self,
        lease: Lease,
        letter: int | None,
        waiting: Sequence[tuple[int, int]],
        passages: Sequence[Passage],
        rules: CompiledRules,
    ) -> None:
        """Apply held changes and let them wait no longer, in one transaction under the lease.

        Raises LeaseLost, psycopg.Error.
        """
        repeated: frozenset[tuple[int, int]] = frozenset()
        while True:
            plan = plan_writes(passages, rules, Holds({}), applied=repeated)
            try:
                with self._connection.transaction():
                    fence = {"partition": lease.partition, "term": lease.term, "holder": self._holder}
                    if self._connection.execute(self._queries["confirm"], fence).rowcount != 1:
                        raise LeaseLost("the partition of a held change has a later holder")
                    if letter is not None:
                        self._connection.execute(self._queries["lock_letter"], {"id": letter})
                    self._writer.write(plan)
                    released = {
                        "changes": array(change for change, _ in waiting),
                        "rules": array(rule for _, rule in waiting),
                    }
                    self._connection.execute(self._queries["release"], released)
            except Repeated:
                repeated |= self._writer.recorded(plan)
            else:
                return

    def settle(self, letter: int, resolution: str) -> bool:
        """Close a letter that nothing waits behind; False, and nothing done, when something does."""
        with self._connection.transaction():
            settled = self._holds.settle(letter, resolution, None)
        self._holds.reload()
        return settled

    def forget(self, lease: Lease, waiting: Sequence[tuple[int, int]]) -> None:
        """Let changes wait no longer that turned out to have nothing to write."""
        self._connection.execute(
            self._queries["forget"],
            {
                "partition": lease.partition,
                "changes": array(change for change, _ in waiting),
                "rules": array(rule for _, rule in waiting),
            },
        )

    def resumed(self) -> None:
        """Nothing of a partition waits for paused rules any more."""
        self._holds.resumed()

    def failed_again(self, letter: int, cause: str, sqlstate: str | None, message: str) -> None:
        """Count another attempt at a letter that failed once more."""
        self._connection.execute(
            self._queries["failed_again"],
            {"id": letter, "cause": cause, "sqlstate": sqlstate, "message": message},
        )

    def replace(self, letter: int, resolution: str, failed: tuple[int, int], refused: Refused) -> None:
        """Close a letter whose change went through, and open one for the change behind it that did not."""
        with self._connection.transaction():
            row = self._connection.execute(
                self._queries["letter_for_held"],
                {
                    "letter": letter,
                    "change": failed[0],
                    "rule": failed[1],
                    "cause": refused.cause,
                    "sqlstate": refused.sqlstate,
                    "message": refused.message,
                },
            ).fetchone()
            released = {"changes": array([failed[0]]), "rules": array([failed[1]])}
            self._connection.execute(self._queries["release"], released)
            self._holds.settle(letter, resolution, row[0] if row else None)
        self._holds.reload()
