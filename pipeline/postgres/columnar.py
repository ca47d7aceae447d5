"""The upsert of many records, given as one array for each column.

Postgres reads such arrays in half the time that it takes over a JSON object for each record, and they are no
more work to make. Only types that an array of texts means the same by as JSON does go this way.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
from psycopg import sql

from pipeline.postgres import statements
from stages.fold import Effect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stages.layers import Statement
    from stages.rules.model import Table

MANY: Final = 50  # of fewer records JSON is as quick; and one statement less is kept prepared
_MOST_COLUMNS: Final = 200
_UPSERT: Final = Effect.UPSERT
# A length is left to the column itself, which refuses what is too long: a cast would cut it off.
_MODIFIERS: Final = re.compile(r"\([\d,]*\)")
_TYPES: Final = frozenset(
    {
        "text",
        "character varying",
        "boolean",
        "smallint",
        "integer",
        "bigint",
        "numeric",
        "real",
        "double precision",
        "date",
        "timestamp without time zone",
        "timestamp with time zone",
        "uuid",
    }
)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_ESCAPED: Final = re.compile(r"\\(?:([bfnrt])|u00([0-9a-f]{2}))|\\.")
_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_LETTERS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def columnar(statement: Statement) -> tuple[sql.Composed, dict[str, str]] | None:
    """The statement's SQL with its parameters; None where its records are to go as JSON."""
    if statement.effect is not _UPSERT or len(statement.records) < MANY:
        return None
    rule = statement.rule
    composed = _compose(rule.target, rule.key_columns, statement.insert_columns, statement.update_columns)
    if composed is None:
        return None
    records, parameters = statement.records, dict[str, str]()
    for place in range(len(rule.key_columns)):
        parameters[_parameter(place)] = array_of([record.key[place] for record in records])
    others = [name for name in statement.insert_columns if name not in rule.key_columns]
    for place, name in enumerate(others, len(rule.key_columns)):
        parameters[_parameter(place)] = array_of([record.insert[name] for record in records])
    return None if "" in parameters.values() else (composed, parameters)


def array_of(values: Sequence[Any]) -> str:
    """The text of a Postgres array; empty where a value cannot stand in an array as it does in JSON.

    But for its brackets, and for the escapes of some characters, it is the JSON array, and nothing makes
    those as quickly.
    """
    text = _ENCODER.encode(values).decode()[1:-1]
    if ("{" in text or "[" in text) and any(isinstance(value, dict | list | msgspec.Raw) for value in values):
        return ""
    if "\\" in text:
        if _NUL.search(text):  # which Postgres refuses, and says so, where it stands in JSON
            return ""
        text = _ESCAPED.sub(_character, text)
    return f"{{{text}}}"


def _character(escaped: re.Match[str]) -> str:
    letter, code = escaped.groups()
    if letter:
        return _LETTERS[letter]
    return chr(int(code, 16)) if code else escaped.group()


@functools.lru_cache(maxsize=1024)
def _compose(
    target: Table, keys: tuple[str, ...], inserted: tuple[str, ...], updated: tuple[str, ...]
) -> sql.Composed | None:
    types = {column.name: _MODIFIERS.sub("", column.type) for column in target.columns}
    columns = (*keys, *(name for name in inserted if name not in keys))
    if len(columns) > _MOST_COLUMNS or not all(types[name] in _TYPES for name in columns):
        return None
    arrays = [
        # The type is format_type()'s text, which is SQL already.
        sql.SQL("{}::{}[]").format(sql.Placeholder(_parameter(place)), sql.SQL(types[name]))
        for place, name in enumerate(columns)
    ]
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    records = sql.SQL("unnest({}) AS r ({})").format(sql.SQL(", ").join(arrays), names)
    return statements.upsert(target, keys, columns, updated, records)


def _parameter(place: int) -> str:
    return f"column_{place}"
