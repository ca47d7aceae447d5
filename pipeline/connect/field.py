"""A field of a Salesforce object: its type, its Postgres column, and how Salesforce normalises its values."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Final

import msgspec

Value = str | float | bool | date | datetime | time | None
Row = Mapping[str, Value]

#: Text types with the length they have unless one is given.
_TEXTS: Final = {
    "string": 255,
    "picklist": 255,
    "multipicklist": 4099,
    "textarea": 255,
    "email": 80,
    "phone": 40,
    "url": 255,
    "encrypted": 175,
    "autonumber": 80,
    "id": 18,
    "reference": 18,
    "masterdetail": 18,
}
#: The other types: what their values are, and their column type.
_OTHERS: Final = {
    "longtext": ("text", "text"),
    "currency": ("number", "double precision"),
    "number": ("number", "double precision"),
    "percent": ("number", "double precision"),
    "boolean": ("boolean", "boolean"),
    "date": ("date", "date"),
    "datetime": ("datetime", "timestamp without time zone"),
    "time": ("time", "time without time zone"),
}
_DECLARED: Final = re.compile(r"(\w+)(?:\((\w+)(?:,\s*(\d+))?\))?")


class Field(msgspec.Struct, frozen=True, dict=True):
    """A field as its object declares it.

    `type` is Salesforce's, with what it needs in brackets: `string(80)`, `picklist(255)`, `currency(16,2)`,
    `reference(Account)`, `masterdetail(Account)`. A restricted picklist names its `values`. A `formula` is
    computed from the record when it is read and cannot be written. A reference with `by`, an external id
    of the parent, gets a second column that names the parent by it. Raises ValueError for an unknown type.
    """

    name: str
    type: str
    external_id: bool = False
    unique: bool = False
    required: bool = False
    values: tuple[str, ...] = ()
    formula: Callable[[Row], Value] | None = None
    by: str = ""

    def __post_init__(self) -> None:
        if self.kind not in _TEXTS and self.kind not in _OTHERS:
            known = ", ".join(sorted([*_TEXTS, *_OTHERS]))
            raise ValueError(f"field {self.name}: unknown type {self.type!r}; the types are {known}")
        if self.is_reference and not self.parent:
            raise ValueError(f"field {self.name}: write the parent object as in reference(Account)")

    @functools.cached_property
    def column(self) -> str:
        """Its column: the name in lower case."""
        return self.name.lower()

    @functools.cached_property
    def kind(self) -> str:
        """The type without what stands in brackets."""
        return self._declared()[0]

    @functools.cached_property
    def is_reference(self) -> bool:
        """Whether it points to a record of another object."""
        return self.kind in {"reference", "masterdetail"}

    @functools.cached_property
    def parent(self) -> str:
        """The object a reference points to; empty for other types."""
        return self._declared()[1] if self.is_reference else ""

    @functools.cached_property
    def content(self) -> str:
        """What its values are: text, number, boolean, date, datetime or time."""
        return _OTHERS[self.kind][0] if self.kind in _OTHERS else "text"

    @functools.cached_property
    def length(self) -> int | None:
        """The most characters it holds; None for other contents and for long text."""
        if self.kind not in _TEXTS:
            return None
        argument = self._declared()[1]
        return int(argument) if argument and not self.is_reference else _TEXTS[self.kind]

    @functools.cached_property
    def scale(self) -> int | None:
        """Decimal places of a number, where they are declared."""
        places = self._declared()[2]
        return int(places) if places else None

    @functools.cached_property
    def column_type(self) -> str:
        """The Postgres type Heroku Connect gives its column."""
        return _OTHERS[self.kind][1] if self.kind in _OTHERS else f"character varying({self.length})"

    @functools.cached_property
    def is_unique(self) -> bool:
        """Whether no two records may share a value; an external id is unique."""
        return self.unique or self.external_id

    @functools.cached_property
    def is_writable(self) -> bool:
        """Whether a client may set it."""
        return self.formula is None and self.kind != "autonumber"

    @functools.cached_property
    def relation_column(self) -> str:
        """The column that names the parent by its external id: account__ext_id__c, owner__r__ext_id__c."""
        if not self.by:
            return ""
        custom = self.column.endswith("__c")
        relation = self.column.removesuffix("__c") + "__r" if custom else self.column.removesuffix("id")
        return f"{relation}__{self.by.lower()}"

    def _declared(self) -> tuple[str, str, str]:
        match = _DECLARED.fullmatch(self.type)
        return (match[1], match[2] or "", match[3] or "") if match else (self.type, "", "")
