"""A Salesforce object and its mapping to a table: the fields of the object, and the columns of the table."""

from __future__ import annotations

import functools
from typing import Final

import msgspec

from pipeline.connect.field import Field

#: Kept by Salesforce itself; a client cannot write them.
SYSTEM_FIELDS: Final = (
    Field("CreatedDate", "datetime"),
    Field("SystemModstamp", "datetime"),
    Field("IsDeleted", "boolean"),
)
#: Kept by Salesforce too, but mapped only where the object declares them.
AUDIT_COLUMNS: Final = frozenset({"createdbyid", "lastmodifiedbyid", "lastmodifieddate"})
KEY_PREFIXES: Final = {
    "Account": "001",
    "Contact": "003",
    "Opportunity": "006",
    "Lead": "00Q",
    "Case": "500",
    "Task": "00T",
    "Event": "00U",
    "Campaign": "701",
    "Product2": "01t",
    "RecordType": "012",
    "User": "005",
}


class SObject(msgspec.Struct, frozen=True, dict=True):
    """An object of an org. The system fields are added to `fields`; name those it lacks in `without`.

    (User, RecordType and EmailTemplate have no IsDeleted, some history objects no SystemModstamp.)
    `key_prefix` is the first three characters of its ids; empty: the standard one, else a custom object's.
    """

    name: str
    fields: tuple[Field, ...]
    key_prefix: str = ""
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        columns = [field.column for field in self.all_fields]
        twice = sorted({column for column in columns if columns.count(column) > 1})
        if twice:
            raise ValueError(f"object {self.name}: fields given twice: {', '.join(twice)}")

    @functools.cached_property
    def all_fields(self) -> tuple[Field, ...]:
        """Its own fields and the system fields it has."""
        absent = {name.lower() for name in self.without}
        return (*self.fields, *(field for field in SYSTEM_FIELDS if field.column not in absent))

    @functools.cached_property
    def by_column(self) -> dict[str, Field]:
        """Its fields by column."""
        return {field.column: field for field in self.all_fields}

    @functools.cached_property
    def stored(self) -> tuple[Field, ...]:
        """The fields whose values a record stores: neither computed nor kept by Salesforce."""
        return tuple(f for f in self.fields if f.formula is None and f.column not in self.kept)

    @functools.cached_property
    def relations(self) -> dict[str, Field]:
        """Its reference fields by the column that names the parent by external id."""
        return {field.relation_column: field for field in self.fields if field.relation_column}

    @functools.cached_property
    def identifier(self) -> Field | None:
        """Its first external id: the unique identifier of a mapping."""
        return next((field for field in self.fields if field.external_id), None)

    @functools.cached_property
    def kept(self) -> frozenset[str]:
        """Columns that Salesforce keeps and a client never writes."""
        return AUDIT_COLUMNS | {field.column for field in SYSTEM_FIELDS} | {"id", "sfid"}


class Mapping(msgspec.Struct, frozen=True):
    """A table of Heroku Connect: the object's name in lower case, with all its fields or only `fields`.

    `upsert` tells whether an insert goes to Salesforce as an upsert by the unique identifier, or as a plain
    create that a record with the same identifier refuses. A read-only table may come without `_hc_lastop`
    and `_hc_err` (`bookkeeping`). Raises ValueError for fields that are not the object's.
    """

    sobject: SObject
    read_only: bool = False
    fields: tuple[str, ...] = ()
    upsert: bool = True
    bookkeeping: bool = True

    def __post_init__(self) -> None:
        unknown = sorted({name.lower() for name in self.fields} - set(self.sobject.by_column))
        if unknown:
            raise ValueError(f"mapping {self.sobject.name}: the object has no field {', '.join(unknown)}")
        if not self.bookkeeping and not self.read_only:
            raise ValueError(f"mapping {self.sobject.name}: a read-write table has _hc_lastop and _hc_err")

    @property
    def table(self) -> str:
        """The table's name."""
        return self.sobject.name.lower()

    @property
    def mapped(self) -> tuple[Field, ...]:
        """The fields that have a column; system fields always do."""
        chosen = {name.lower() for name in self.fields}
        own = (field for field in self.sobject.fields if not chosen or field.column in chosen)
        return (*own, *(field for field in self.sobject.all_fields if field not in self.sobject.fields))

    @property
    def identifier(self) -> Field | None:
        """The mapped unique identifier, if any."""
        found = self.sobject.identifier
        return found if found in self.mapped else None
