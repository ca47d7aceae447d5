"""What a simulated org is made of, and what can be seen of it."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from pipeline.connect import guard
from pipeline.connect.field import Value
from pipeline.connect.ids import IdMint, custom_prefix
from pipeline.connect.refusal import Refused
from pipeline.connect.shelf import Record, Shelf
from pipeline.connect.sobject import KEY_PREFIXES, SObject
from pipeline.connect.values import normalise, whole_second
from pipeline.connect.view import visible

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Sequence

    from pipeline.connect.field import Row
    from pipeline.connect.shelf import Flow, Rule


class Polled(msgspec.Struct, frozen=True):
    """What a poll sees of a changed record: its row, or None when it is deleted."""

    sequence: int
    sfid: str
    row: dict[str, Value] | None


class Store:
    """The objects and records of one org."""

    def __init__(
        self,
        name: str,
        *,
        clock: Callable[[], datetime],
        rng: random.Random,
        objects: Sequence[SObject] = (),
    ) -> None:
        self.name = name
        self._clock = clock
        self._mint = IdMint(rng)
        self._lock = threading.RLock()
        self._shelves: dict[str, Shelf] = {}
        self._sequence = 0
        self.org_id = self._mint.new("00D")
        #: Who edits where nobody else is named, and who Heroku Connect writes as.
        self.user = self._mint.new("005")
        self.integration_user = self._mint.new("005")
        for sobject in objects:
            self.define(sobject)

    def define(self, sobject: SObject) -> None:
        """Add an object. Raises ValueError when the org has one of that name with other fields."""
        with self._lock:
            known = self._shelves.get(sobject.name.lower())
            if known is not None and known.sobject != sobject:
                raise ValueError(f"org {self.name} already has an object {sobject.name} with other fields")
            if known is None:
                self._shelves[sobject.name.lower()] = Shelf(sobject, self._prefix(sobject))

    def object(self, name: str) -> SObject:
        """An object by name. Raises Refused."""
        return self._shelf(name).sobject

    def has(self, name: str) -> bool:
        """Whether the org has such an object."""
        return name.lower() in self._shelves

    def automate(self, name: str, flow: Flow) -> None:
        """Run `flow` whenever a record is saved, whoever saves it, as a before-save Flow of the org."""
        self._shelf(name).flows.append(flow)

    def validate(self, name: str, rule: Rule) -> None:
        """Refuse records for which `rule` gives a reason, as a validation rule of the org."""
        self._shelf(name).rules.append(rule)

    def adopt(self, name: str, rows: Iterable[Row]) -> int:
        """Take records that a table already holds, by column with their `sfid`; how many were new here.

        No poll brings them back to the table. Raises Refused when two of them share a unique value.
        """
        with self._lock:
            shelf, count = self._shelf(name), 0
            for row in rows:
                sfid = str(row["sfid"])
                if sfid not in shelf.records:
                    values = {f.column: normalise(f, row.get(f.column)) for f in shelf.sobject.stored}
                    shelf.keep(self._adopted(sfid, row), values)
                    count += 1
            return count

    def get(self, name: str, sfid: str) -> dict[str, Value] | None:
        """A record's row; None when there is none or it is deleted."""
        with self._lock:
            shelf = self._shelf(name)
            return visible(shelf, shelf.records[sfid], self._shelves) if shelf.is_live(sfid) else None

    def query(self, name: str, where: Callable[[Row], bool] | None = None) -> list[dict[str, Value]]:
        """The rows of the records that are not deleted, oldest first."""
        with self._lock:
            shelf = self._shelf(name)
            rows = [visible(shelf, r, self._shelves) for r in shelf.records.values() if not r.deleted]
        return [row for row in rows if where is None or where(row)]

    @property
    def position(self) -> int:
        """How many changes there were so far: where a reader stands that has seen them all."""
        return self._sequence

    def changes(self, name: str, after: int) -> list[Polled]:
        """The records of an object that changed after a position, as they are now, oldest change first."""
        with self._lock:
            shelf = self._shelf(name)
            return [
                Polled(sequence, r.sfid, None if r.deleted else visible(shelf, r, self._shelves))
                for sequence, r in shelf.touched_after(after)
            ]

    def has_changes(self, name: str, after: int) -> bool:
        """Whether `changes` would tell of any."""
        with self._lock:
            return self._shelf(name).last_touch > after

    def _shelf(self, name: str) -> Shelf:
        try:
            return self._shelves[name.lower()]
        except KeyError:
            raise Refused("INVALID_TYPE", f"sObject type '{name}' is not supported") from None

    def _prefix(self, sobject: SObject) -> str:
        taken = {shelf.prefix for shelf in self._shelves.values()}
        standard = sobject.key_prefix or KEY_PREFIXES.get(sobject.name)
        return standard or next(p for p in map(custom_prefix, range(62 * 62)) if p not in taken)

    def _adopted(self, sfid: str, row: Row) -> Record:
        now = whole_second(self._clock())
        created, stamp = (
            datetime.fromisoformat(str(row[column])) if row.get(column) else now
            for column in ("createddate", "systemmodstamp")
        )
        return Record(sfid, {}, created, stamp, self.user, self.user)

    def _new_id(self, shelf: Shelf) -> str:
        sfid = self._mint.new(shelf.prefix)
        while sfid in shelf.records:  # adopted from an earlier life of this org
            sfid = self._mint.new(shelf.prefix)
        return sfid

    def _touch(self, shelf: Shelf, record: Record) -> None:
        self._sequence += 1
        record.stamp = whole_second(self._clock())
        shelf.touch(record.sfid, self._sequence)

    def _save(self, shelf: Shelf, record: Record, values: Row, start: Row, old: Row | None) -> None:
        """Save `values` over `start`; nothing is changed when it raises Refused."""
        new = {**start, **guard.accept(shelf.sobject, values, self._shelves)}
        for flow in shelf.flows:
            new |= guard.accept(shelf.sobject, flow(dict(new), old) or {}, self._shelves)
        guard.check(shelf, new, old, self._shelves)
        shelf.keep(record, new)
        self._touch(shelf, record)
