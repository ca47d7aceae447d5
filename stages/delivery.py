"""What an entry of Heroku Connect's trigger log says of a record: accepted, refused, or refused no more.

The status in the row itself (`_hc_lastop`) is not asked: two failures in a row make it say SYNCED.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from stages.hstore import read_hstore

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: The states of entries that Salesforce did not take: refused, sent nowhere, or given back for another try.
REFUSED: Final = frozenset({"FAILED", "READONLY", "REQUEUE", "REQUEUED"})
_ID: Final = 15  # characters of a Salesforce id that tell records apart; the rest repeats their case
_DUPLICATE: Final = re.compile(
    r"duplicate value found: (\w+) duplicates value on record with id: (\w{15,18})", re.IGNORECASE
)
_MEANING: Final = {
    "READONLY": "the mapping of this table is read-only: Heroku Connect sends nothing of it to Salesforce",
    "REQUEUE": "it was refused, and somebody had Heroku Connect try it again",
    "REQUEUED": "it was refused, and somebody had Heroku Connect try it again",
}


class Entry(msgspec.Struct, frozen=True):
    """One entry of the log, with `old` and `written` as hstore text: the row before, and what was written."""

    id: int
    action: str  # INSERT, UPDATE or DELETE
    state: str
    record_id: int
    message: str
    old: str
    written: str

    def row(self) -> dict[str, str | None]:
        """The row as far as the entry tells it: before an update, with what the update wrote."""
        return read_hstore(self.old) | read_hstore(self.written)

    def columns(self) -> list[str]:
        """The columns that it wrote."""
        return list(read_hstore(self.written))

    def fault(self) -> str:
        """What was wrong, in Salesforce's words where it said any."""
        return self.message or _MEANING.get(self.state, "Salesforce refused it and did not say why")


def took_effect(entry: Entry, identifier: Sequence[str], sfid: str | None) -> bool:
    """Whether a refused entry says after all that Salesforce has the record.

    Heroku Connect lost the answer to its write and tried again, and so meets its own record, under the
    external id that the rule recognises it by (`identifier`, the key columns; `sfid` is the row's by now).
    A record of another's under another unique field is a refusal.
    """
    found = _DUPLICATE.search(entry.message)
    if entry.state != "FAILED" or found is None:
        return False
    field, holder = found[1].lower(), found[2][:_ID]
    if sfid:
        return sfid[:_ID] == holder
    return entry.action == "INSERT" and [field] == list(identifier)


class Refusal(msgspec.Struct, frozen=True):
    """What Salesforce has of a record not accepted yet: `columns` only of an update."""

    key: Mapping[str, str | None]
    action: str
    columns: tuple[str, ...]


class Followed(msgspec.Struct, frozen=True):
    """What became of a refusal: whether it is one no more, else what is left of it."""

    accepted: bool
    columns: tuple[str, ...]
    entry: int  # the last that was looked at
    attempts: int = 0  # failures among them
    message: str | None = None  # of the last of these, where it tells more than the first


def follow(refusal: Refusal, entries: Iterable[Entry]) -> Followed | None:
    """Look at later entries of the record, oldest first; None where there were none.

    An update is accepted when all its columns were, by whatever later write carried them.
    """
    followed: Followed | None = None
    columns = refusal.columns
    for entry in entries:
        attempts, message = (0, None) if followed is None else (followed.attempts, followed.message)
        if not _is_of(entry, refusal.key):
            pass  # the table was loaded anew, and its number is another row's now
        elif entry.state == "SUCCESS":
            left = _left(refusal.action, columns, entry)
            if left is None:
                return Followed(accepted=True, columns=(), entry=entry.id)
            columns = left
        elif entry.state in REFUSED:
            attempts += 1
            # That an update finds no record tells less than why the insert was refused.
            message = entry.fault() if (refusal.action, entry.action) != ("INSERT", "UPDATE") else message
        followed = Followed(
            accepted=False, columns=columns, entry=entry.id, attempts=attempts, message=message
        )
    return followed


def refused_columns(entry: Entry) -> tuple[str, ...]:
    """The columns that have to be accepted yet; none of an insert or a delete: those are one thing."""
    return tuple(entry.columns()) if entry.action == "UPDATE" else ()


def _left(refused: str, columns: tuple[str, ...], accepted: Entry) -> tuple[str, ...] | None:
    """The columns still refused after an entry that was accepted; None where nothing is."""
    if refused == "DELETE":
        return None if accepted.action == "DELETE" else columns
    if refused == "INSERT" or accepted.action != "UPDATE":
        return None
    written = set(accepted.columns())
    return tuple(name for name in columns if name not in written) or None


def _is_of(entry: Entry, key: Mapping[str, str | None]) -> bool:
    row = entry.row()
    return all(row.get(name, value) == value for name, value in key.items())
