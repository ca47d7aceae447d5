"""What is known of the record and the rule besides: ledger, dead letters, what waits, pauses."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.postgres.queries import load
from stages.link import LinkName, tables_of
from stages.named import name_of

if TYPE_CHECKING:
    import psycopg

    from stages.change import Change
    from stages.rules.compile import CompiledRule

_ROW: Final = msgspec.json.Decoder(dict[str, Any] | None, float_hook=Decimal)


class Letter(msgspec.Struct, frozen=True):
    """An open dead letter of the record."""

    id: int
    change_id: int | None
    rule_version: int | None
    cause: str
    message: str
    created_at: str
    held: int


class Waits(msgspec.Struct, frozen=True):
    """A change of the record that waits for a row."""

    id: int
    change_id: int
    message: str
    since: str
    due_at: str
    held: int


class Linked(msgspec.Struct, frozen=True):
    """The target row of a record, whatever its key is now; without a key, the row was deleted."""

    record: str  # its lasting name, as JSON text
    key: str | None
    change_id: int  # that gave the row this key


class State(msgspec.Struct, frozen=True):
    """Where the record stands under the rule.

    `applied_version` and `applied_at` are the ledger's word on this very change; `waits_behind` is the
    letter, or the wait, that the record's later changes wait behind; `paused` says why the rule is paused;
    `link` is None where the rule is not linked, or the record has not been written yet.
    """

    applied_version: int | None = None
    applied_at: str | None = None
    letters: tuple[Letter, ...] = ()
    waits_behind: int | None = None
    paused: str | None = None
    waits: tuple[Waits, ...] = ()
    link: Linked | None = None


def state_of(connection: psycopg.Connection, compiled: CompiledRule, change: Change) -> State:
    """The state of a change's record under a rule."""
    queries, rule = load("explain"), compiled.rule
    names = {
        "rule": rule.name,
        "rule_id": rule.id,
        "change": change.id,
        "source": f"{change.schema}.{change.table}",
        "key": bytes(change.key).decode(),
    }
    version, applied_at = connection.execute(queries["ledger"], names).fetchone() or (None, None)
    blocked = connection.execute(queries["blocked"], names).fetchone()
    paused = connection.execute(queries["paused"], names).fetchone()
    return State(
        version,
        applied_at,
        tuple(Letter(*row) for row in connection.execute(queries["letters"], names)),
        None if blocked is None else blocked[0],
        None if paused is None else f"{paused[0]}, since {paused[1]}",
        tuple(Waits(*row) for row in connection.execute(queries["waits"], names)),
        _link(connection, compiled, change),
    )


def _link(connection: psycopg.Connection, rule: CompiledRule, change: Change) -> Linked | None:
    """The link of a change's record under a linked rule."""
    row = _ROW.decode(change.after) or _ROW.decode(change.before) or {}
    record = name_of(rule, row)
    if record is None:
        return None
    name = LinkName(*tables_of(rule), record)
    link = connection.execute(load("explain")["link"], name._asdict()).fetchone()
    return None if link is None else Linked(record, *link)
