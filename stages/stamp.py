"""Stamps: when and where the value of a column was edited. The later one wins, on every node alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: In the stamps of a record: of every column that has none of its own, since the record was inserted.
ALL: Final = "*"
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Stamp(msgspec.Struct, frozen=True, array_like=True):
    """An edit: its time in microseconds since 1970, and the table (schema.table) that it was made in."""

    at: int
    table: str

    @property
    def time(self) -> str | None:
        """The time as ISO 8601; None where it is not known."""
        return (_BEGINNING + timedelta(microseconds=self.at)).isoformat() if self.at else None


Stamps = dict[str, Stamp]


class Standing(NamedTuple):
    """What settles ties: the larger priority, then the org that comes first in the alphabet."""

    priority: int
    org: str
    sends: bool = False  # whether any rule leads out of the table, and gives it its priority


class Ranks:
    """Compares stamps, by the standing of the tables that a rule set names."""

    def __init__(self, standings: Mapping[str, Standing]) -> None:
        self._standings = standings

    def later(self, one: Stamp, other: Stamp) -> bool:
        """Whether `one` wins over `other`; neither does over itself."""
        if one.at != other.at:
            return one.at > other.at
        mine, its = self._standing(one.table), self._standing(other.table)
        if mine.priority != its.priority:
            return mine.priority > its.priority
        return (mine.org, one.table) < (its.org, other.table)

    def latest(self, stamps: Iterable[Stamp]) -> Stamp | None:
        """The one that wins over all others; None where there is none."""
        found: Stamp | None = None
        for stamp in stamps:
            if found is None or self.later(stamp, found):
                found = stamp
        return found

    def _standing(self, table: str) -> Standing:
        return self._standings.get(table) or Standing(0, table)


def unknown(table: str) -> Stamp:
    """The stamp of a value in `table` that nobody was seen to edit: any edit is later."""
    return Stamp(0, table)


def of_column(stamps: Mapping[str, Stamp], column: str) -> Stamp | None:
    """The stamp of a column among those of its record."""
    return stamps.get(column) or stamps.get(ALL)


def microseconds(moment: Any) -> int:
    """A time as stamps have it: a naive one is UTC, a text ISO 8601. 0 for what is no time."""
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            return 0
    if not isinstance(moment, datetime):
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since: timedelta = moment - _BEGINNING
    return since // timedelta(microseconds=1)
