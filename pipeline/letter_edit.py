"""Editing what a dead letter writes: values by hand in place of what the rule maps, checked by Postgres.

Only this one change is edited, under its rule: neither the source, nor the rule, nor the changes behind it.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final

import msgspec
import psycopg
from psycopg import sql

from pipeline.errors import ConfigurationError
from pipeline.letter_view import mapped
from pipeline.letters import Edit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.letter_view import MappedWrite
    from pipeline.letters import LetterView
    from stages.rules.compile import CompiledRules
    from stages.rules.model import Column

_JSON_TYPES: Final = ("json", "jsonb")
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


class Difference(msgspec.Struct, frozen=True):
    """A column that is edited."""

    column: str
    before: Any
    after: Any


class LetterEditor:
    """The edit of one letter, by the live rules. Raises ConfigurationError where there is nothing to edit."""

    def __init__(self, connection: psycopg.Connection, rules: CompiledRules, letter: LetterView) -> None:
        self._connection = connection
        self._rules = rules
        self._letter = letter
        write, fault = mapped(connection, rules, letter)
        if write is None:
            raise ConfigurationError(
                f"letter {letter.id} cannot be edited: {fault}. Retry it once that is mended, or skip it."
            )
        if write.action == "delete":
            raise ConfigurationError(
                f"letter {letter.id} is a delete, which has no values. Retry it, or skip it."
            )
        self.write: MappedWrite = write
        columns = rules.by_id[letter.rule_id or 0].target.columns
        self._columns = {column.name: column for column in columns}

    def document(self) -> str:
        """The mapped values as JSON, for an editor; a value that could not be found is null."""
        values = {**self.write.values, **dict.fromkeys(self.write.unknown)}
        return msgspec.json.format(_ENCODER.encode(values)).decode()

    def from_text(self, column: str, text: str) -> Any:
        """A value as Postgres reads it from text. Raises ConfigurationError for JSON that is none."""
        known = self._columns.get(column)
        if known is None or known.type not in _JSON_TYPES:
            return text
        try:
            return msgspec.json.decode(text.encode())
        except msgspec.DecodeError as error:
            raise ConfigurationError(f"{column}: not JSON, which {known.type} holds ({error}).") from None

    def propose(self, values: Mapping[str, Any], *, allow_key: bool) -> tuple[Edit, list[Difference]]:
        """Check values (column = JSON value); the edit and its differences from what is mapped.

        Raises ConfigurationError for a column that the rule does not write, a value that does not fit it,
        a change of the key that is not allowed, or where nothing differs.
        """
        known = {**self.write.values, **self.write.key}
        differing = {n: v for n, v in values.items() if n not in known or not _same(known[n], v)}
        if not differing:
            raise ConfigurationError("nothing differs from what the rule maps; to try the same again: retry.")
        for name, value in differing.items():
            self._require_column(name, allow_key=allow_key)
            self._require_fits(self._columns[name], value)
        write, fault = mapped(self._connection, self._rules, self._letter, differing)
        if write is None:
            raise ConfigurationError(f"with these values it would still fail: {fault}. Set that column too.")
        differences = [Difference(name, known.get(name), value) for name, value in differing.items()]
        return Edit(
            _encoded({one.column: one.before for one in differences}), _encoded(differing)
        ), differences

    def _require_column(self, name: str, *, allow_key: bool) -> None:
        if name in self.write.key and not allow_key:
            raise ConfigurationError(
                f"{name} belongs to the key, which says which row is written. Add --allow-key if you mean it."
            )
        writable = [*self.write.values, *self.write.unknown, *self.write.key]
        if name not in writable:
            near = difflib.get_close_matches(name, writable, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"It writes {', '.join(writable)}."
            raise ConfigurationError(f"{name} is no column that rule {self._letter.rule} writes. {hint}")

    def _require_fits(self, column: Column, value: Any) -> None:
        if value is None and not column.nullable:
            raise ConfigurationError(f"{column.name} cannot be NULL in {self.write.target}.")
        # The type is format_type()'s text, which is SQL already.
        query = sql.SQL("SELECT r.* FROM json_to_recordset(%s::json) AS r ({} {})").format(
            sql.Identifier(column.name), sql.SQL(column.type)
        )
        try:
            self._connection.execute(query, [_encoded([{column.name: value}])])
        except psycopg.DataError as error:
            message = error.diag.message_primary or str(error)
            raise ConfigurationError(f"{column.name} ({column.type}): {message}.") from None


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON; a text that says a number is that number."""
    first, second = _encoded(one), _encoded(other)
    return first == second or (
        None not in (one, other) and first.strip('"') == second.strip('"') and not isinstance(one, bool)
    )


def _encoded(value: Any) -> str:
    return _ENCODER.encode(value).decode()
