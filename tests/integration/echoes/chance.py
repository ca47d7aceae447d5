"""Random lives of a few records in several orgs: edits, automation, and every step of the way at any time.

At one time one org edits a field of a record, so that nothing has to be decided between two users.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from tests.fixtures.federation import FIELDS, Federation, both_ways, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

ORGS: Final = ("north", "south", "west", "east", "centre")
EDITED: Final = ("name", "city__c", "amount__c", "active__c")
RECORDS: Final = 2
Shape = Literal["pairs", "circle", "ring", "hub"]
SHAPES: Final[tuple[Shape, ...]] = ("pairs", "circle", "ring", "hub")
Kind = Literal["edit", "carry", "send", "record", "query", "deliver", "delete", "settle"]
KINDS: Final[tuple[Kind, ...]] = ("edit", "carry", "send", "record", "query", "deliver", "delete", "settle")


class Move(NamedTuple):
    """One move; what the numbers mean depends on its kind."""

    kind: Kind
    org: int
    record: int
    field: int


def rules_of(shape: Shape, orgs: Sequence[str]) -> list[str]:
    """The rules between some orgs; each leads to each other."""
    following = [*orgs[1:], orgs[0]]
    if shape == "circle":
        return [rule(one, other, *FIELDS) for one, other in zip(orgs, following, strict=True)]
    if shape == "hub":
        return [both_ways(orgs[0], spoke, *FIELDS) for spoke in orgs[1:]]
    if shape == "ring":
        return [both_ways(one, other, *FIELDS) for one, other in zip(orgs, following, strict=True)]
    return [both_ways(one, other, *FIELDS) for one, other in itertools.pairwise(orgs)]


class Life:
    """What happens to a few new records under some rules."""

    def __init__(self, federation: Federation, number: int, orgs: Sequence[str]) -> None:
        self._federation = federation
        self._orgs = orgs
        self.records = [f"{number}-{n}" for n in range(RECORDS)]
        self._owners: dict[str, str] = {}  # record -> the org that edits it until all has settled
        self._deleted: set[str] = set()
        self._edits = 0

    def make(self, move: Move) -> None:
        """Make one move; an edit by another org than the owner, or after a delete, is left out."""
        org = self._orgs[move.org % len(self._orgs)]
        ext_id = self.records[move.record % RECORDS]
        heroku = self._federation.heroku[org]
        if move.kind == "edit":
            self._edit(org, ext_id, EDITED[move.field % len(EDITED)])
        elif move.kind == "delete":
            self._delete(org, ext_id)
        elif move.kind == "carry":
            self._federation.carry()
        elif move.kind == "settle":
            self.settle()
        else:
            self._federation.clock.advance(1)
            getattr(heroku, move.kind)()

    def settle(self) -> None:
        """Let all come to rest; then any org may edit again."""
        self._federation.settle()
        self._owners.clear()
        self._deleted.clear()

    def _edit(self, org: str, ext_id: str, field: str) -> None:
        if self._owners.setdefault(ext_id, org) != org or ext_id in self._deleted:
            return
        self._edits += 1
        number = self._edits
        values = {"amount__c": number / 7, "active__c": number % 2 == 0}
        new = {"name": f"n{number}", field: values.get(field, f" {field} {number}")}
        self._federation.edit(org, ext_id, **new)

    def _delete(self, org: str, ext_id: str) -> None:
        found = self._federation.orgs[org].query("Account", lambda row: row["ext_id__c"] == ext_id)
        if found and self._owners.setdefault(ext_id, org) == org:
            self._federation.orgs[org].delete("Account", str(found[0]["sfid"]))
            self._deleted.add(ext_id)

    def seen(self, org: str) -> dict[str, tuple[object, ...]]:
        """The records as the users of an org see them."""
        rows = self._federation.orgs[org].query("Account", lambda row: row["ext_id__c"] in self.records)
        return {str(row["ext_id__c"]): tuple(row[field] for field in FIELDS) for row in rows}
