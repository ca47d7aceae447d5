"""Reading rows: the columns that rules read, with their types where an expression asks for them."""

from __future__ import annotations

import functools
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypedDict

import msgspec

from stages.expression import SqlType, sql_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stages.rules.model import Table

_PYTHON: dict[SqlType, Any] = {
    SqlType.TEXT: str | None,
    SqlType.BOOLEAN: bool | None,
    SqlType.INTEGER: int | None,
    SqlType.NUMERIC: Decimal | None,
    SqlType.DOUBLE: float | None,
    SqlType.DATE: date | None,
    SqlType.TIMESTAMP: datetime | None,
    SqlType.TIMESTAMPTZ: datetime | None,
    SqlType.OTHER: Any,
}


def row_fields(table: Table, needed: Mapping[str, bool]) -> dict[str, Any]:
    """The columns to decode, with their types in Python; `needed`: whether the typed value is asked for."""
    fields: dict[str, Any] = {}
    for column in table.columns:
        if column.name in needed:
            fields[column.name] = _PYTHON[sql_type(column.type)] if needed[column.name] else Any
    return fields


def row_decoder(table: Table, needed: Mapping[str, bool]) -> msgspec.json.Decoder[Any]:
    """The decoder of a table's rows; `needed`: column -> whether its typed value is asked for."""
    return decoder_of(tuple(row_fields(table, needed).items()))


@functools.lru_cache(maxsize=64)
def decoder_of(fields: tuple[tuple[str, Any], ...]) -> msgspec.json.Decoder[Any]:
    """The decoder of these columns and no others."""
    row = TypedDict("row", dict(fields))  # type: ignore[misc]  # noqa: UP013  # its fields are known only now
    # Numbers that no expression reads pass as Decimal, so that not a digit is lost.
    return msgspec.json.Decoder(row, float_hook=Decimal)
