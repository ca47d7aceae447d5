"""Reading rows: the columns that rules read, with their types where an expression asks for them."""

from __future__ import annotations

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


def row_decoder(table: Table, needed: Mapping[str, bool]) -> msgspec.json.Decoder[Any]:
    """The decoder of a table's rows; `needed`: column -> whether its typed value is asked for."""
    fields: dict[str, Any] = {}
    for column in table.columns:
        if column.name in needed:
            typed = needed[column.name]
            fields[column.name] = _PYTHON[sql_type(column.type)] if typed else Any
    row = TypedDict("row", fields)  # type: ignore[misc]  # its fields are known only now
    # Numbers that no expression reads pass as Decimal, so that not a digit is lost.
    return msgspec.json.Decoder(row, float_hook=Decimal)
