"""In which order captured changes go to Salesforce: Heroku Connect's two write algorithms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from pipeline.connect.log import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.connect.log import Entry

Algorithm = Literal["ordered", "merged"]
_RANK: Final[dict[str, int]] = {"INSERT": 0, "UPDATE": 1, "DELETE": 2}


class Unit(msgspec.Struct, frozen=True):
    """One call to Salesforce. Of the entries in it, the last carries the result; the others are MERGED."""

    table: str
    action: Action
    record_id: int
    sfid: str | None
    values: dict[str, str | None]
    entries: tuple[int, ...]


def plan(entries: Iterable[Entry], algorithm: Algorithm, tables: Sequence[str]) -> list[Unit]:
    """Ordered: each entry by itself, as logged. Merged: one unit per record, grouped by table and action."""
    units = [
        Unit(entry.table, entry.action, entry.record_id, entry.sfid, entry.values, (entry.id,))
        for entry in entries
    ]
    if algorithm == "ordered":
        return units
    merged: dict[tuple[str, int], Unit] = {}
    for unit in units:
        key = (unit.table, unit.record_id)
        merged[key] = _merge(merged[key], unit) if key in merged else unit
    place = {table: number for number, table in enumerate(tables)}
    return sorted(merged.values(), key=lambda unit: (place.get(unit.table, len(place)), _RANK[unit.action]))


def _merge(earlier: Unit, later: Unit) -> Unit:
    """An insert stays an insert with the newer values; a delete takes the rest along."""
    action: Action = "INSERT" if (earlier.action, later.action) == ("INSERT", "UPDATE") else later.action
    return Unit(
        later.table,
        action,
        later.record_id,
        later.sfid or earlier.sfid,
        earlier.values | later.values,
        earlier.entries + later.entries,
    )
