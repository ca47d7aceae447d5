"""Reading a change's rows: the columns that rules read; those a row lacks or has as another type are told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from stages.change import Change, Operation
from stages.passage import Passage, Rows
from stages.rules.decoding import decoder_of

if TYPE_CHECKING:
    from stages.rules.compile import CompiledRules, TableRules

_INSERT: Final = Operation.INSERT  # the members themselves: looking them up costs as much as a function
_DELETE: Final = Operation.DELETE
_MISSING: Final = re.compile(r"Object missing required field `(.*)`$")
_MISTYPED: Final = re.compile(r"Expected `.*`, got `.*` - at `\$\.(.*)`$")


def read_rows(change: Change, table: TableRules) -> Rows:
    """Decode the columns that the table's rules read. Raises msgspec.DecodeError for what is no row at all.

    A column that the rows lack, or hold as another type, is left out, and `faults` tells of it.
    """
    try:
        return _decoded(change, table.decoder)
    except msgspec.ValidationError as error:
        return _partly(change, table, error)


def _partly(change: Change, table: TableRules, error: msgspec.ValidationError) -> Rows:
    fields, faults = dict(table.fields), dict[str, str]()
    while True:
        column = _column(str(error))
        if column not in fields:
            raise error
        del fields[column]
        faults[column] = str(error)
        try:
            rows = _decoded(change, decoder_of(tuple(fields.items())))
        except msgspec.ValidationError as another:
            error = another
        else:
            return Rows(rows.before, rows.after, faults)


def whole(passage: Passage, rules: CompiledRules) -> Passage:
    """The passage with NULL for columns that its rows lack: captured while the table did not have them."""
    change = passage.change
    table = None if change is None else rules.tables.get((change.schema, change.table))
    if change is None or table is None:
        return passage
    filled = {"before": _filled(change.before, table), "after": _filled(change.after, table)}
    return msgspec.structs.replace(passage, change=msgspec.structs.replace(change, **filled))


def _decoded(change: Change, decoder: msgspec.json.Decoder[Any]) -> Rows:
    decode = decoder.decode
    return Rows(
        None if change.operation is _INSERT else decode(change.before),
        None if change.operation is _DELETE else decode(change.after),
    )


def _column(message: str) -> str:
    found = _MISSING.match(message) or _MISTYPED.match(message)
    return found.group(1) if found else ""


def _filled(row: msgspec.Raw, table: TableRules) -> msgspec.Raw:
    columns: dict[str, msgspec.Raw] | None = msgspec.json.decode(row, type=dict[str, msgspec.Raw] | None)
    if columns is None:
        return row
    lacking = dict.fromkeys((name for name in table.fields if name not in columns), msgspec.Raw(b"null"))
    return msgspec.Raw(msgspec.json.encode({**columns, **lacking}))
