"""The simulated Salesforce org behind a connection, as its users and Heroku Connect use it.

Object and field names are taken in any case; rows come back by column (lower case), the id as `sfid`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.connect import guard
from pipeline.connect.refusal import Refused
from pipeline.connect.shelf import Record, Shelf
from pipeline.connect.store import Store
from pipeline.connect.values import normalise, whole_second

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.connect.field import Row, Value


class SalesforceOrg(Store):
    """One org. Safe to use from several threads; deterministic given clock, rng and the order of calls.

    Whatever raises Refused has changed nothing. `user` is the id of who does it: `org.user` unless given.
    """

    def create(self, name: str, values: Row, *, user: str = "") -> str:
        """Make a record; its id. Raises Refused."""
        with self._lock:
            shelf, now, by = self._shelf(name), whole_second(self._clock()), user or self.user
            record = Record(self._new_id(shelf), {}, now, now, by, by)
            self._save(shelf, record, values, _initial(shelf), None)
            return record.sfid

    def update(self, name: str, sfid: str, values: Row, *, user: str = "") -> None:
        """Change a record. Its SystemModstamp moves even when no value does. Raises Refused."""
        with self._lock:
            shelf = self._shelf(name)
            record = shelf.live(sfid)
            self._save(shelf, record, values, record.values, dict(record.values))
            record.modified_by = user or self.user

    def upsert(self, name: str, by: str, values: Row, *, user: str = "") -> str:
        """Change the record that `by`, an external id, names, or make one; its id. Raises Refused."""
        with self._lock:
            shelf = self._shelf(name)
            accepted = guard.accept(shelf.sobject, values, self._shelves)
            holder = shelf.holder(by.lower(), accepted.get(by.lower()))
            if holder is None:
                return self.create(name, values, user=user)
            self.update(name, holder, values, user=user)
            return holder

    def delete(self, name: str, sfid: str) -> None:
        """Put a record and its master-detail children into the recycle bin. Raises Refused."""
        with self._lock:
            shelf = self._shelf(name)
            self._bin(shelf, shelf.live(sfid))

    def undelete(self, name: str, sfid: str) -> None:
        """Take a record, and what its delete took along, out of the bin; ids stay. Raises Refused."""
        with self._lock:
            shelf = self._shelf(name)
            record = shelf.records.get(sfid)
            if record is None or not record.deleted:
                raise Refused("UNDELETE_FAILED", "Entity is not in the recycle bin")
            shelf.keep(record, record.values)
            record.deleted, record.deleted_with, record.master = False, "", ""
            self._touch(shelf, record)
            for other in self._shelves.values():
                for child in [r.sfid for r in other.records.values() if r.deleted_with == sfid]:
                    self.undelete(other.sobject.name, child)

    def empty_recycle_bin(self) -> int:
        """Delete for good what lies in the bin; how many. A poll that has not seen them never will."""
        with self._lock:
            binned = [(s, r.sfid) for s in self._shelves.values() for r in s.records.values() if r.deleted]
            for shelf, sfid in binned:
                shelf.forget(sfid)
            return len(binned)

    def merge(self, name: str, winner: str, losers: Iterable[str], values: Row | None = None) -> None:
        """Merge `losers` into `winner`: their children follow, they go into the bin. Raises Refused."""
        with self._lock:
            shelf = self._shelf(name)
            lost = [shelf.live(sfid) for sfid in losers]
            if winner in {record.sfid for record in lost}:
                raise Refused("MERGE_FAILED", "a record cannot be merged into itself")
            self.update(name, winner, values or {})
            for record in lost:
                self._repoint(shelf.sobject.name, record.sfid, winner)
                self._bin(shelf, record)
                record.master = winner

    def _bin(self, shelf: Shelf, record: Record, taken_by: str = "") -> None:
        for other, field, child in self._children(shelf.sobject.name, record.sfid):
            if field == "masterdetail" and not child.deleted:
                self._bin(other, child, taken_by=record.sfid)
        shelf.release(record)
        record.deleted, record.deleted_with = True, taken_by
        self._touch(shelf, record)

    def _repoint(self, parent: str, loser: str, winner: str) -> None:
        for shelf, _, child in self._children(parent, loser):
            child.values = {c: winner if v == loser else v for c, v in child.values.items()}
            self._touch(shelf, child)

    def _children(self, parent: str, sfid: str) -> list[tuple[Shelf, str, Record]]:
        """Each record that points to another, with the kind of the field that does."""
        return [
            (shelf, field.kind, record)
            for shelf in self._shelves.values()
            for field in shelf.sobject.fields
            if field.is_reference and field.parent.lower() == parent.lower()
            for record in shelf.records.values()
            if record.values.get(field.column) == sfid
        ]


def _initial(shelf: Shelf) -> dict[str, Value]:
    """What a new record has before anything is set: empty fields, unticked checkboxes, running numbers."""
    values: dict[str, Value] = {field.column: normalise(field, None) for field in shelf.sobject.stored}
    return values | {c: shelf.number(c) for c, f in shelf.sobject.by_column.items() if f.kind == "autonumber"}
