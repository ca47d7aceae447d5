"""The history of all keys: fed with what the writers committed and with what the witness saw, as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipeline.errors import Failure
from pipeline.proof.verdict import Finding, Kind
from pipeline.prove.record import Effect, Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.prove.journal import Committed, State
    from pipeline.prove.record import Fault

RULE = "accounts"


class SourceDisagrees(Failure):
    """Raised when the source does not hold what its writers committed: then nothing can be proven by it."""


class Seen(NamedTuple):
    """A row of the witness: a write of one row in a transaction of the pipeline."""

    id: int
    xid: int
    key: str
    state: list[int] | None
    bound: int


class End(NamedTuple):
    """What stands under a key in the end."""

    key: str
    version: int
    source: list[int] | None
    target: list[int] | None


class History:
    """Judges as it is fed, so that it never holds more than what has not taken effect yet."""

    def __init__(self) -> None:
        self.changes = 0  # committed
        self.effects = 0  # keys that transactions of the pipeline changed
        self.findings: list[Finding] = []
        self._records: dict[str, Record] = {}
        self._touched: set[str] = set()

    def commit(self, transactions: Iterable[Committed]) -> None:
        """The writers committed these."""
        for committed in transactions:
            self.changes += committed.changes
            for event in committed.events:
                self._record(event.key).commit(event.version, event.state)

    def see(self, rows: Iterable[Seen]) -> None:
        """The witness saw these, whole transactions by the order of their ids. What counts of a transaction
        is what it left under each key: nobody sees the steps on the way.
        """
        left = {(row.xid, row.key): row for row in rows}
        for row in sorted(left.values()):
            self.effects += 1
            self._record(row.key).effect(Effect(_state(row.state), row.bound))

    def judge(self) -> None:
        """Judge every effect whose history is known."""
        for key in self._touched:
            self._note(key, self._records[key].judge())
        self._touched.clear()

    def end(self, ends: Iterable[End]) -> None:
        """Judge what stands there in the end. Raises SourceDisagrees."""
        self.judge()
        for end in ends:
            record = self._record(end.key)
            if (record.known, record.last) != (end.version, _state(end.source)):
                raise SourceDisagrees(
                    f"the source holds version {end.version} ({end.source}) of {end.key}, its writers "
                    f"committed {record.known} ({record.last}): Postgres lost one, or the prover is wrong"
                )
            self._note(end.key, record.end(_state(end.target)))

    def note(self, kind: Kind, key: str, message: str) -> None:
        """Something else is wrong."""
        self.findings.append(Finding(kind, RULE, key, message))

    def _note(self, key: str, faults: Iterable[Fault]) -> None:
        for kind, message in faults:
            self.note(kind, key, message)

    def _record(self, key: str) -> Record:
        self._touched.add(key)
        record = self._records.get(key)
        if record is None:
            record = self._records[key] = Record()
        return record


def _state(values: list[int] | None) -> State:
    return None if values is None else tuple(values)
