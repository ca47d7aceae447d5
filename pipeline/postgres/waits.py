"""The table of waits: what is written of those that begin, and taken out of those that may go on."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from psycopg import sql

from pipeline.postgres.queries import load
from pipeline.postgres.writer import array

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import psycopg

    from pipeline.batch import Item
    from pipeline.carry import Waiting
    from pipeline.postgres.holds import Letters
    from stages.wait import Wait

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_Place = tuple[str, str, tuple[str, ...]] | None  # the awaited table and the columns that recognise its rows


class StaleWaits(Exception):
    """Raised when more came to wait behind some waits than was known."""


class Kept(NamedTuple):
    """What a wait keeps when it is written anew."""

    id: int
    since: str
    due_at: str
    looks: int
    begun: bool


NOTHING_KEPT: Final[Mapping[Any, Kept]] = {}


class Ended(NamedTuple):
    """Waits that may go on: their numbers, and their changes with all that is held behind them."""

    ids: Sequence[int]
    changes: frozenset[Waiting]
    items: Sequence[Item]


class WaitTable:
    """The waits, on one connection."""

    def __init__(self, connection: psycopg.Connection, timeout: float) -> None:
        """`timeout` is how long a change waits at most, in seconds."""
        self._connection = connection
        self._timeout = timeout
        self._queries = load("waits")

    def write(
        self,
        waits: Iterable[Wait],
        partitions: Mapping[int, int],
        kept: Mapping[Waiting, Kept] = NOTHING_KEPT,
    ) -> Letters:
        """Write waits that begin or go on; their numbers by change and rule."""
        places: dict[_Place, list[dict[str, Any]]] = {}
        for wait in waits:
            row = _row(wait, partitions[wait.change_id], kept.get((wait.change_id, wait.rule_id)))
            places.setdefault(_place(wait), []).append(row)
        numbers: Letters = {}
        for place, rows in places.items():
            parameters = {"waits": _ENCODER.encode(rows).decode(), "timeout": self._timeout}
            found = self._connection.execute(_compose(place), parameters).fetchall()
            numbers |= {(change, rule): number for number, change, rule in found}
        return numbers

    def end(self, ids: Sequence[int], known: frozenset[Waiting]) -> dict[Waiting, Kept]:
        """Take waits and what is held behind them out; the waits' own changes with what they keep.

        Raises StaleWaits unless these are just the `known` changes.
        """
        self._connection.execute(self._queries["lock"], {"ids": array(ids)})
        rows = self._connection.execute(self._queries["end_waits"], {"ids": array(ids)}).fetchall()
        if known != {(change, rule) for change, rule, *_ in rows}:
            raise StaleWaits
        return {(row[0], row[1]): Kept(*row[2:]) for row in rows if row[2] is not None}


def _row(wait: Wait, partition: int, kept: Kept | None) -> dict[str, Any]:
    awaited = wait.awaited
    return {
        "change_id": wait.change_id,
        "partition": partition,
        "rule_id": wait.rule_id,
        "rule": wait.rule,
        "rule_version": wait.rule_version,
        "source_table": wait.table,
        "key": wait.key,
        "cause": wait.cause,
        "message": wait.message,
        "awaits_schema": awaited and awaited.schema,
        "awaits_table": awaited and awaited.table,
        "awaits": awaited and awaited.key,
        "awaits_take": awaited and awaited.take,
        "begun": wait.begun or bool(kept and kept.begun),
        **(kept._asdict() | {"begun": wait.begun or kept.begun} if kept else {}),
    }


def _place(wait: Wait) -> _Place:
    if wait.awaited is None:
        return None
    return wait.awaited.schema, wait.awaited.table, tuple(wait.awaited.key)


@functools.lru_cache(maxsize=256)
def _compose(place: _Place) -> sql.Composed:
    """The statement for waits of one place."""
    key: sql.Composable = sql.SQL("NULL")
    if place is not None:
        schema, table, columns = place
        key = sql.SQL(
            "orgstream.identity_of("
            "row_to_json(json_populate_record(NULL::{table}, w.awaits)), {columns}::text[])::text"
        ).format(table=sql.Identifier(schema, table), columns=sql.Literal(list(columns)))
    return sql.SQL(load("waits")["wait"]).format(awaits_key=key)
