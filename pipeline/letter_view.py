"""One dead letter as a person looks at it: its change, what it maps to, what waits, what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pipeline.carry import carried, read_changes, under
from pipeline.letters import LetterView
from pipeline.postgres.queries import load
from stages.overlay import edited
from stages.reject import Cause

if TYPE_CHECKING:
    import psycopg

    from stages.passage import Passage
    from stages.rules.compile import CompiledRules


class ChangeView(msgspec.Struct, frozen=True):
    """The change that failed. Keys and rows are JSON."""

    operation: str
    origin: str
    captured_at: str
    path: list[str]
    key: msgspec.Raw
    old_key: msgspec.Raw
    before: msgspec.Raw
    after: msgspec.Raw


class MappedWrite(msgspec.Struct, frozen=True):
    """What the live rules write for the change, so far as they can say."""

    action: str
    target: str  # org.table
    key: dict[str, Any]
    values: dict[str, Any]  # target column -> value
    changed: list[str]  # the columns that are written where the row is there
    unknown: list[str]  # columns whose value could not be found


class HeldView(msgspec.Struct, frozen=True):
    """A change that waits behind the letter."""

    change_id: int
    operation: str
    captured_at: str
    held_at: str


class AuditView(msgspec.Struct, frozen=True):
    """Something that was asked for the letter, or came of it."""

    happened_at: str
    event: str
    how: str
    reason: str
    actor: str
    database_user: str
    client: str | None
    before: msgspec.Raw
    after: msgspec.Raw


class WholeLetter(msgspec.Struct, frozen=True):
    """A letter with all that is known of it. It holds people's data: for the screen, never for a log."""

    letter: LetterView
    change: ChangeView | None
    write: MappedWrite | None
    fault: str | None  # why nothing is mapped
    payload: msgspec.Raw | None
    held: list[HeldView]
    audit: list[AuditView]


def whole_letter(connection: psycopg.Connection, rules: CompiledRules, letter: LetterView) -> WholeLetter:
    """Everything about a letter; the mapped write is that of the live rules."""
    queries = load("letters")
    row = connection.execute(queries["change"], {"change": letter.change_id}).fetchone()
    payload = connection.execute(queries["payload"], {"id": letter.id}).fetchone()
    write, fault = mapped(connection, rules, letter)
    return WholeLetter(
        letter,
        None if row is None else ChangeView(*row[:4], *map(_raw, row[4:])),
        write,
        fault,
        None if payload is None else _raw(payload[0]),
        [HeldView(*held) for held in connection.execute(queries["held"], {"id": letter.id}).fetchall()],
        [
            AuditView(*audit[:7], *map(_raw, audit[7:]))
            for audit in connection.execute(queries["audit"], {"id": letter.id}).fetchall()
        ],
    )


def mapped(
    connection: psycopg.Connection,
    rules: CompiledRules,
    letter: LetterView,
    edits: dict[str, Any] | None = None,
) -> tuple[MappedWrite | None, str | None]:
    """What the rules, with `edits` laid over them, write for a letter's change; or why they write nothing.

    Without edits a column that fails is left out and named, so that the others can be seen.
    """
    rule = rules.by_id.get(letter.rule_id or 0)
    if letter.cause == Cause.MASS_DELETE:
        return None, "its changes are those that wait"
    if letter.change_id is None or rule is None:
        return None, "it failed before any rule" if letter.rule_id is None else "its rule is live no more"
    changes = read_changes(connection, [letter.change_id], rules.version)
    if not changes:
        return None, "its change is no longer in the queue"
    laid, unknown = dict(edits or {}), list[str]()
    while True:
        passage = _under(carried(changes, edited(rules, rule.rule.id, laid)), letter.change_id, rule.rule.id)
        fault = passage.rejects[0] if passage is not None and passage.rejects else None
        if fault is None or edits is not None or fault.column_name in (None, *laid):
            break
        laid[str(fault.column_name)] = None
        unknown.append(str(fault.column_name))
    if fault is not None:
        return None, fault.message
    if passage is None or not passage.writes:
        return None, "the live rules write nothing for it"
    write = passage.writes[0]
    values = {name: value for name, value in write.values.items() if name not in unknown}
    key = dict(zip(rule.key_columns, write.key, strict=True))
    changed = [name for name in write.changed if name not in unknown]
    return MappedWrite(write.action, str(rule.target.name), key, values, changed, unknown), None


def _under(passages: list[Passage], change: int, rule: int) -> Passage | None:
    return under(passages[0], {change: {rule}}) if passages else None


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())
