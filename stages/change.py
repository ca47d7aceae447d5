"""A change: one committed insert, update or delete of one record, as capture saw it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

#: Who wrote, as capture tells: Heroku Connect's own sessions, anyone else, our own apply.
ORIGINS: Final = ("salesforce", "application", "orgstream")


class Operation(StrEnum):
    """What happened to the record; the values are those of `change_queue.operation`."""

    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    TRUNCATE = "TRUNCATE"


class Change(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One row of the outbox. Keys and rows stay the JSON text that Postgres made until a stage reads them."""

    id: int
    schema: str
    table: str
    operation: Operation
    origin: str
    captured_at: str
    key: msgspec.Raw = msgspec.Raw(b"null")
    old_key: msgspec.Raw = msgspec.Raw(b"null")
    before: msgspec.Raw = msgspec.Raw(b"null")
    after: msgspec.Raw = msgspec.Raw(b"null")
    path: tuple[str, ...] = ()

    def without_rows(self) -> Change:
        """The change without its rows, which may be large: what names it, for the ledger and the letters."""
        return msgspec.structs.replace(self, before=_NULL, after=_NULL)


_NULL = msgspec.Raw(b"null")
