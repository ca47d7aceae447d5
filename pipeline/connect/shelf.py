"""The records of one object, those in the recycle bin too, and the order in which they last changed."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from pipeline.connect.field import Value
from pipeline.connect.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.connect.field import Row
    from pipeline.connect.sobject import SObject

    #: Gets the record as it is to be saved and as it was (None: a new one); what it returns is set too.
    Flow = Callable[[Row, Row | None], Row | None]
    #: Gets the same; returns why the record may not be saved, or None.
    Rule = Callable[[Row, Row | None], str | None]


class Record(msgspec.Struct):
    """A record as Salesforce stores it; `values` by column, without what is computed."""

    sfid: str
    values: dict[str, Value]
    created: datetime
    stamp: datetime
    created_by: str
    modified_by: str
    deleted: bool = False
    deleted_with: str = ""  # the parent whose delete took this one along
    master: str = ""  # the record this one was merged into


class Shelf:
    """What an org holds of one object."""

    def __init__(self, sobject: SObject, prefix: str) -> None:
        self.sobject = sobject
        self.prefix = prefix
        self.records: dict[str, Record] = {}
        self.flows: list[Flow] = []
        self.rules: list[Rule] = []
        self._touched: OrderedDict[str, int] = OrderedDict()
        self._holders: dict[str, dict[Value, str]] = {
            field.column: {} for field in sobject.fields if field.is_unique
        }
        self._numbers: dict[str, int] = {}

    def live(self, sfid: str) -> Record:
        """A record that is not deleted. Raises Refused."""
        record = self.records.get(sfid)
        if record is None:
            raise Refused("INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: {sfid}")
        if record.deleted:
            raise Refused("ENTITY_IS_DELETED", "entity is deleted")
        return record

    def is_live(self, sfid: str) -> bool:
        """Whether there is such a record and it is not deleted."""
        record = self.records.get(sfid)
        return record is not None and not record.deleted

    def holder(self, column: str, value: Value) -> str | None:
        """The live record that holds a unique value."""
        return self._holders[column].get(value) if value is not None else None

    def keep(self, record: Record, values: dict[str, Value]) -> None:
        """Store `values` in a live record. Raises Refused when another holds one of its unique values."""
        for column, holders in self._holders.items():
            value = values.get(column)
            if value is not None and holders.get(value, record.sfid) != record.sfid:
                name = self.sobject.by_column[column].name
                raise Refused(
                    "DUPLICATE_VALUE",
                    f"duplicate value found: {name} duplicates value on record with id: {holders[value]}",
                )
        self.release(record)
        record.values = values
        self.records[record.sfid] = record
        for column, holders in self._holders.items():
            if values.get(column) is not None:
                holders[values[column]] = record.sfid

    def release(self, record: Record) -> None:
        """Take a record's unique values out again."""
        for column, holders in self._holders.items():
            if holders.get(record.values.get(column)) == record.sfid:
                del holders[record.values.get(column)]

    def number(self, column: str) -> str:
        """The next value of an auto-number field."""
        self._numbers[column] = self._numbers.get(column, 0) + 1
        return f"{self._numbers[column]:08d}"

    def touch(self, sfid: str, sequence: int) -> None:
        """Note that a record changed, as its SystemModstamp says."""
        self._touched[sfid] = sequence
        self._touched.move_to_end(sfid)

    def forget(self, sfid: str) -> None:
        """Remove a record for ever; no poll will tell of it."""
        del self.records[sfid]
        self._touched.pop(sfid, None)

    @property
    def last_touch(self) -> int:
        """The sequence of the last change; 0 before the first."""
        return next(reversed(self._touched.values()), 0)

    def touched_after(self, sequence: int) -> list[tuple[int, Record]]:
        """The records that changed since, oldest change first, each once, as it is now."""
        recent = []
        for sfid, touched in reversed(self._touched.items()):
            if touched <= sequence:
                break
            recent.append((touched, self.records[sfid]))
        return recent[::-1]
