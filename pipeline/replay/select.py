"""Selecting: the changes that are meant and a live rule makes something of, and their records' history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.carry import carried, read_changes
from pipeline.postgres.queries import load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import psycopg

    from pipeline.replay.selection import Selection
    from stages.passage import Passage
    from stages.rules.compile import CompiledRule, CompiledRules

#: What a replay selects and what it knows of the records' history are of one snapshot.
ONE_SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
_AT_A_TIME: Final = 1_000
_MARGIN_SECONDS: Final = 60.0  # ids and capture times run side by side, but for a moment


def select(
    connection: psycopg.Connection,
    replay: int,
    selection: Selection,
    scope: Sequence[CompiledRule],
    rules: CompiledRules,
    *,
    force: bool,
    progress: Callable[[int], None],
) -> int:
    """Fill a replay's tables, inside a transaction of one snapshot; how many changes are selected."""
    queries = load("replay")
    parameters = _parameters(selection, scope, force=force)
    after = first_id(connection, selection.since) - 1 if selection.since else 0
    first, selected = 0, 0
    while True:
        rows = connection.execute(queries["select"], {**parameters, "after": after}).fetchall()
        if not rows:
            break
        after = rows[-1][0]
        candidates = _candidates(connection, {id_: set(wanted) for id_, wanted in rows}, rules)
        if candidates:
            first = first or candidates[0]["change_id"]
            selected += len(candidates)
            encoded = msgspec.json.encode(candidates).decode()
            connection.execute(queries["add_candidates"], {"replay": replay, "candidates": encoded})
        progress(after)
    connection.execute(queries["selected"], {"replay": replay, "selected": selected, "first": first})
    if selected:
        gather(connection, replay, first)
        connection.execute(queries["analyze"])
    return selected


def gather(connection: psycopg.Connection, replay: int, first: int) -> None:
    """Gather the history of all records that are new to a replay, and of those bound to them."""
    queries = load("replay")
    while True:
        connection.execute(queries["gather"], {"replay": replay, "first": first})
        connection.execute(queries["gathered"], {"replay": replay})
        if not connection.execute(queries["discover"], {"replay": replay}).rowcount:
            return


def extend(connection: psycopg.Connection, replay: int, first: int) -> None:
    """Bring the history up to what is committed now."""
    queries = load("replay")
    if connection.execute(queries["extend"], {"replay": replay}).rowcount:
        gather(connection, replay, first)


def first_id(connection: psycopg.Connection, since: datetime) -> int:
    """A change id below which nothing was captured since then: ids rise with the time of capture."""
    queries = load("replay")
    low, high = 1, int(_value(connection, "last_id") or 0) + 1
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(queries["captured_from"], {"id": middle}).fetchone()
        if row is not None and (since - row[0]).total_seconds() > _MARGIN_SECONDS:
            low = middle + 1
        else:
            high = middle
    return low


def _candidates(
    connection: psycopg.Connection, wanted: dict[int, set[int]], rules: CompiledRules
) -> list[dict[str, Any]]:
    """The changes for which a rule that is meant has something to write, or fails."""
    found: list[dict[str, Any]] = []
    for passage in carried(read_changes(connection, wanted, rules.version), rules):
        if passage.change is not None:
            concerned = sorted(_rules_of(passage) & wanted[passage.change.id])
            if concerned:
                found.append({"change_id": passage.change.id, "rules": concerned})
    return found


def _rules_of(passage: Passage) -> set[int]:
    rejected = {reject.rule_id for reject in passage.rejects if reject.rule_id is not None}
    return {write.rule for write in passage.writes} | rejected


def _parameters(selection: Selection, scope: Sequence[CompiledRule], *, force: bool) -> dict[str, Any]:
    meant = [
        {
            "table_schema": rule.rule.source.schema,
            "table_name": rule.rule.source.name,
            "rule_id": rule.rule.id,
        }
        for rule in scope
    ]
    return {
        "rules": msgspec.json.encode(meant).decode(),
        "force": force,
        "rule_version": selection.rule_version,
        "ids": list(selection.ids) or None,
        "since": selection.since,
        "until": selection.until,
        "key": selection.key,
        "rows": _AT_A_TIME,
    }


def _value(connection: psycopg.Connection, query: str) -> Any:
    row = connection.execute(load("replay")[query]).fetchone()
    return row[0] if row else None
