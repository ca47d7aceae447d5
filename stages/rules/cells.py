"""Values as a person writes them in a rules file, and as a column holds them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from stages.expression import EvaluationError, SqlType, assign_literal, sql_type

_WANTED: Final[dict[SqlType, tuple[tuple[type, ...], str]]] = {
    SqlType.TEXT: ((str,), "a string"),
    SqlType.BOOLEAN: ((bool,), "true or false"),
    SqlType.INTEGER: ((int,), "a whole number"),
    SqlType.NUMERIC: ((int, float, str), "a number"),
    SqlType.DOUBLE: ((int, float, str), "a number"),
    SqlType.DATE: ((date, str), "a date"),
    SqlType.TIMESTAMP: ((datetime, str), "a date and time"),
    SqlType.TIMESTAMPTZ: ((datetime, str), "a date and time with its offset"),
}
_NUMBERS: Final = (SqlType.NUMERIC, SqlType.DOUBLE)


class UnfitValue(ValueError):
    """Raised when a value cannot stand in a column of its type; the message says what is wanted."""


def column_json(value: Any, type_: str) -> Any:
    """What capture would write of a column of this type that holds `value`. Raises UnfitValue."""
    wanted = sql_type(type_)
    if wanted not in _WANTED:
        return value
    kinds, said = _WANTED[wanted]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise UnfitValue(f"it must be {said}")
    try:
        held = assign_literal(text_of(value), type_)
    except EvaluationError as error:
        raise UnfitValue(error.message) from None
    if isinstance(held, float) or wanted in _NUMBERS:
        return held
    return held if isinstance(held, bool | int | str) else text_of(held)


def column_value(value: Any, type_: str) -> Any:
    """What a column of this type holds when `value` is written to it. Raises EvaluationError."""
    if isinstance(value, msgspec.Raw):
        value = msgspec.json.decode(value)
    if value is None:
        return None
    if isinstance(value, dict | list):
        return value
    held = assign_literal(text_of(value), type_)
    return msgspec.json.decode(held) if isinstance(held, msgspec.Raw) else held


def text_of(value: Any) -> str:
    """A value's text, as a column of its type would read it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}" if value.is_finite() else str(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def shown(value: Any) -> str:
    """A value for a person."""
    if value is None:
        return "NULL"
    return f'"{value}"' if isinstance(value, str) else text_of(value)
