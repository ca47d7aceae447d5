"""What is known of the record and the rule besides: ledger, dead letters, what waits, pauses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.postgres.queries import load

if TYPE_CHECKING:
    import psycopg

    from stages.change import Change
    from stages.rules.model import Rule


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


class State(msgspec.Struct, frozen=True):
    """Where the record stands under the rule.

    `applied_version` and `applied_at` are the ledger's word on this very change; `waits_behind` is the
    letter, or the wait, that the record's later changes wait behind; `paused` says why the rule is paused.
    """

    applied_version: int | None = None
    applied_at: str | None = None
    letters: tuple[Letter, ...] = ()
    waits_behind: int | None = None
    paused: str | None = None
    waits: tuple[Waits, ...] = ()


def state_of(connection: psycopg.Connection, rule: Rule, change: Change) -> State:
    """The state of a change's record under a rule."""
    queries = load("explain")
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
    )
