"""Dead letters as a person sees them: selected, listed, and asked to be settled.

The asking is all that happens here. The worker that holds the letter's partition settles it, in order with
what is live.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.errors import ConfigurationError
from pipeline.person import person
from pipeline.postgres.queries import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg


class Selection(msgspec.Struct, frozen=True):
    """Which open letters are meant; what is None is not asked.

    `table` is org.table, `key` a JSON object, `cause` a cause or an SQLSTATE.
    """

    ids: tuple[int, ...] = ()
    rule: str | None = None
    table: str | None = None
    key: str | None = None
    cause: str | None = None


class LetterView(msgspec.Struct, frozen=True):
    """An open letter, and how many later changes of its record wait behind it."""

    id: int
    change_id: int | None
    rule_id: int | None
    rule: str
    rule_version: int
    source_table: str
    key: str
    cause: str
    sqlstate: str | None
    column: str | None
    constraint: str | None
    message: str
    attempts: int
    created_at: str
    requested: str | None
    held: int


class Group(msgspec.Struct, frozen=True):
    """Letters with one cause."""

    rule: str
    cause: str
    sqlstate: str | None
    column: str | None
    constraint: str | None
    letters: list[LetterView]

    @property
    def held(self) -> int:
        """How many changes wait behind them."""
        return sum(letter.held for letter in self.letters)


def select(connection: psycopg.Connection, selection: Selection) -> list[LetterView]:
    """The open letters that are meant. Raises ConfigurationError for a table that no org has."""
    rows = connection.execute(
        load("letters")["select"],
        {
            "ids": list(selection.ids) or None,
            "rule": selection.rule,
            "table": None if selection.table is None else _table(connection, selection.table),
            "key": None if selection.key is None else _key(selection.key),
            "cause": selection.cause,
        },
    ).fetchall()
    return [LetterView(*row) for row in rows]


def grouped(letters: Sequence[LetterView]) -> list[Group]:
    """The letters by rule, cause, SQLSTATE and column or constraint; the largest group first."""
    groups: dict[tuple[str | None, ...], list[LetterView]] = {}
    for letter in letters:
        name = (letter.rule, letter.cause, letter.sqlstate, letter.column, letter.constraint)
        groups.setdefault(name, []).append(letter)
    found = [
        Group(of[0].rule, of[0].cause, of[0].sqlstate, of[0].column, of[0].constraint, of)
        for of in groups.values()
    ]
    return sorted(found, key=lambda group: -len(group.letters))


class Edit(msgspec.Struct, frozen=True):
    """What is to be written in place of what the rule maps: target column = value, both as JSON objects."""

    before: str
    after: str


def request(
    connection: psycopg.Connection,
    letters: Sequence[LetterView],
    what: str,
    reason: str,
    edit: Edit | None = None,
) -> list[int]:
    """Ask for letters to be settled, with a reason for the record: `retry`, `skip`, or one to `edit`.

    The letters that will be. Left out are those that are being settled already, and retries of entries
    that nobody could read.
    """
    user = person()
    rows = connection.execute(
        load("holds")["request"],
        {
            "ids": [letter.id for letter in letters],
            "requested": what,
            "reason": f"{user}: {reason}",
            "actor": user,
            "before": edit and edit.before,
            "after": edit and edit.after,
        },
    ).fetchall()
    return [letter for (letter,) in rows]


def resume(connection: psycopg.Connection, rule: str) -> bool:
    """Let a paused rule go on, with what was held first; False where it is not paused."""
    with connection.transaction():
        done = connection.execute(load("letters")["resume"], {"rule": rule})
        connection.execute(load("holds")["raise_epoch"])
    return bool(done.rowcount)


def _table(connection: psycopg.Connection, table: str) -> str:
    org, dot, name = table.partition(".")
    row = connection.execute(load("letters")["table_of_org"], {"org": org, "name": name}).fetchone()
    if not dot or row is None or row[0] is None:
        raise ConfigurationError(f"--table {table}: name it as org.table, with an org of the live rules.")
    return str(row[0])


def _key(key: str) -> str:
    try:
        decoded = msgspec.json.decode(key.encode())
    except msgspec.DecodeError as error:
        raise ConfigurationError(
            f'--key {key}: it is a JSON object such as {{"ext_id": "A1"}} ({error}).'
        ) from None
    if not isinstance(decoded, dict):
        raise ConfigurationError('--key: it is a JSON object such as {"ext_id": "A1"}.')
    return key
