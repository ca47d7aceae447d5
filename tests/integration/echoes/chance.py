"""Random lives of a few records in several orgs: edits, deletes, automation, and every step of the way.

In a `contended` life any org edits what it likes at any time, and the policy `newest` decides; each edit is
to a value of its own, because a value that was written just before cannot be told from its echo. In others
one org at a time edits a record, by any policy, and what it made of the record last is the outcome.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import pytest

from tests.fixtures.federation import FIELDS, Federation
from tests.integration.echoes.schemes import Scheme, orgs_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.connect import Row

UNIQUE: Final = ("name", "city__c", "amount__c")
EDITED: Final = (*UNIQUE, "active__c")
RECORDS: Final = 2
Kind = Literal["edit", "carry", "send", "record", "query", "deliver", "delete", "settle"]
KINDS: Final[tuple[Kind, ...]] = ("edit", "carry", "send", "record", "query", "deliver", "delete", "settle")
_ROUNDS: Final = 40  # without an end in sight


class Move(NamedTuple):
    """One move; what the numbers mean depends on its kind."""

    kind: Kind
    org: int
    record: int
    field: int


class Life:
    """What happens to a few new records under some rules."""

    def __init__(self, federation: Federation, number: int, scheme: Scheme) -> None:
        self._federation = federation
        self._scheme = scheme
        self.orgs = orgs_of(scheme)
        self.records = [f"{number}-{n}" for n in range(RECORDS)]
        self._owners: dict[str, str] = {}  # record -> the org that edits it until all has settled
        self._deleted: set[str] = set()
        self._edits = 0
        #: What the record's owner made of it last; nothing of records that several orgs edit, or one deletes.
        self.meant: dict[str, dict[str, Any]] = {}

    def live(self, moves: Iterable[Move]) -> None:
        """Make all moves, then let everything come to rest."""
        for move in moves:
            self._make(move)
        self.settle()

    def _make(self, move: Move) -> None:
        org = self.orgs[move.org % len(self.orgs)]
        ext_id = self.records[move.record % RECORDS]
        heroku = self._federation.heroku[org]
        if move.kind == "edit":
            self._edit(org, ext_id, move.field)
        elif move.kind == "delete":
            self._delete(org, ext_id)
        elif move.kind == "carry":
            self._federation.carry()
        elif move.kind == "settle":
            self.settle()
        else:
            self._federation.clock.advance(0.25)
            if move.kind == "deliver" and self._scheme.contended:
                heroku.record()  # what Salesforce answered is told before it is read again
            getattr(heroku, move.kind)()

    def settle(self) -> None:
        """Let all come to rest; then any org may edit again. Fails where it never does."""
        herokus = [self._federation.heroku[org] for org in self.orgs]
        for _ in range(_ROUNDS):
            self._federation.carry()
            restless = [heroku for heroku in herokus if not heroku.quiet()]
            if not restless:
                self._owners.clear()
                self._deleted.clear()
                return
            self._federation.clock.advance(0.25)
            for heroku in restless:
                heroku.write()
            self._federation.carry()
            for heroku in herokus:
                heroku.read()
        pytest.fail(f"after {_ROUNDS} rounds there are still changes on their way")

    def _edit(self, org: str, ext_id: str, field: int) -> None:
        if not self._may(org, ext_id) or ext_id in self._deleted:
            return
        self._edits += 1
        new = self._value(field)
        if self._found(org, ext_id) is None:
            new = {"name": f"made {self._edits}", **new}
        self._federation.edit(org, ext_id, **new)
        if not self._scheme.contended:
            self.meant[ext_id] = {**self.meant.get(ext_id, {}), **new}

    def _value(self, field: int) -> dict[str, Any]:
        """A new value of a field: one of its own, or one of a few, with blanks that Salesforce trims."""
        if self._scheme.contended:
            name, number = UNIQUE[field % len(UNIQUE)], self._edits
            return {name: number / 7 if name == "amount__c" else f"{name} {number}"}
        name, number = EDITED[field % len(EDITED)], self._edits % 3
        few = {"amount__c": number / 7, "active__c": number == 0, "name": f"n{number}"}
        return {name: few.get(name, f" {number}")}

    def _delete(self, org: str, ext_id: str) -> None:
        sfid = self._found(org, ext_id)
        if sfid is None or not self._scheme.deletes or not self._may(org, ext_id):
            return
        self._federation.orgs[org].delete("Account", sfid)
        if not self._scheme.contended:
            self._deleted.add(ext_id)
            self.meant.pop(ext_id, None)  # what the Flow makes of it later may outlive it

    def _may(self, org: str, ext_id: str) -> bool:
        return self._scheme.contended or self._owners.setdefault(ext_id, org) == org

    def _found(self, org: str, ext_id: str) -> str | None:
        found = self._federation.orgs[org].query("Account", lambda row: row["ext_id__c"] == ext_id)
        return str(found[0]["sfid"]) if found else None

    def seen(self, org: str) -> dict[str, dict[str, Any]]:
        """The records as the users of an org see them."""
        rows = self._federation.orgs[org].query("Account", lambda row: row["ext_id__c"] in self.records)
        return {str(row["ext_id__c"]): {field: row[field] for field in FIELDS} for row in rows}

    def stored(self, org: str) -> dict[str, Row]:
        """The records as they stand in an org's table."""
        return self._federation.stored(org, self.records)

    def touch(self) -> None:
        """Have every org's records read again, though nothing of them has changed."""
        for org in self.orgs:
            for ext_id in self.records:
                sfid = self._found(org, ext_id)
                if sfid is not None:
                    self._federation.orgs[org].update("Account", sfid, {})

    def writes(self) -> int:
        """How many changes Orgstream has made to the tables."""
        return sum(map(self._federation.writes, self.orgs))
