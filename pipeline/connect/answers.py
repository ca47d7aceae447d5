"""What Salesforce answered to a write, told to the row (the first step of the echo) and to the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from pipeline.connect.log import Ended
from pipeline.connect.plan import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import psycopg

    from pipeline.connect.table import Table


class Outcome(msgspec.Struct, frozen=True):
    """What became of a unit. `status` is the row's next `_hc_lastop`, None where no row is to be told."""

    unit: Unit
    state: Literal["SUCCESS", "FAILED", "IGNORED"]
    sfid: str | None = None
    status: Literal["INSERTED", "UPDATED", "FAILED"] | None = None
    message: str | None = None
    error: str | None = None  # the row's `_hc_err`


class _Told(msgspec.Struct, frozen=True):
    id: int
    sfid: str | None
    lastop: str | None
    error: str | None


def tell(connection: psycopg.Connection, tables: Iterable[Table], outcomes: Sequence[Outcome]) -> None:
    """Write ids, statuses and errors into the rows: one update per outcome, in order, as each is an event."""
    rounds = _rounds([outcome for outcome in outcomes if outcome.status is not None])
    for table in tables:
        for outcomes_once in rounds:
            _tell(connection, table, [o for o in outcomes_once if o.unit.table == table.name])


def ends(outcome: Outcome) -> list[Ended]:
    """The end of each entry of the unit: the last one carries the result."""
    *merged, last = outcome.unit.entries
    earlier = [Ended(entry, "MERGED", outcome.sfid) for entry in merged]
    return [*earlier, Ended(last, outcome.state, outcome.sfid, outcome.message)]


def _rounds(outcomes: Sequence[Outcome]) -> list[list[Outcome]]:
    """The outcomes in as few lists as keep each record's in order, no record twice in a list."""
    rounds: list[list[Outcome]] = []
    seen: dict[tuple[str, int], int] = {}
    for outcome in outcomes:
        key = (outcome.unit.table, outcome.unit.record_id)
        number = seen[key] = seen.get(key, -1) + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(outcome)
    return rounds


def _tell(connection: psycopg.Connection, table: Table, outcomes: Sequence[Outcome]) -> None:
    known = [outcome for outcome in outcomes if outcome.sfid is not None]
    found: set[str] = set()
    if known:
        rows = connection.execute(table.rows("status_by_sfid"), {"outcomes": _encode(known)}).fetchall()
        found = {sfid for (sfid,) in rows}
    # An id is the row's only as long as it has no sfid: a reload gives the ids to other rows.
    fresh = [o for o in outcomes if o.sfid not in found and o.unit.sfid is None]
    if fresh:
        connection.execute(table.rows("status_by_id"), {"outcomes": _encode(fresh)})


def _encode(outcomes: Sequence[Outcome]) -> str:
    told = [_Told(o.unit.record_id, o.sfid, o.status, o.error) for o in outcomes]
    return msgspec.json.encode(told).decode()
