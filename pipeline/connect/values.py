"""How Salesforce normalises what it is given: blanks trimmed, '' to NULL, 15 digits, whole seconds."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from pipeline.connect.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.connect.field import Field, Value

DIGITS: Final = 15
_TRUE: Final = frozenset({"t", "true", "1"})
_FALSE: Final = frozenset({"f", "false", "0"})


def normalise(field: Field, value: Value) -> Value:
    """`value`, or the text Postgres writes for it, as Salesforce stores it. Raises Refused."""
    if value is None:
        return False if field.content == "boolean" else None  # a checkbox is never empty
    try:
        return _NORMALISERS[field.content](field, value)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise Refused(
            "INVALID_TYPE_ON_FIELD_IN_RECORD",
            f"{field.name}: value not of required type: {value!r} is no {field.content}",
        ) from error


def _text(field: Field, value: Value) -> Value:
    if not isinstance(value, str):
        raise TypeError
    text = value.strip()
    if field.length is not None and len(text) > field.length:
        raise Refused(
            "STRING_TOO_LONG",
            f"{field.name}: data value too large: {text} (max length={field.length})",
        )
    return text or None


def _number(field: Field, value: Value) -> Value:
    if isinstance(value, bool | date | time):
        raise TypeError
    number = float(f"{float(value or 0):.{DIGITS}g}")
    if not math.isfinite(number):
        raise ValueError
    if field.scale is not None:
        places = Decimal(1).scaleb(-field.scale)
        number = float(Decimal(repr(number)).quantize(places, ROUND_HALF_UP))
    return number


def _boolean(_field: Field, value: Value) -> Value:
    if isinstance(value, str):
        if value.lower() not in _TRUE | _FALSE:
            raise ValueError
        return value.lower() in _TRUE
    return bool(value)


def _date(_field: Field, value: Value) -> Value:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(_written(value))


def _datetime(_field: Field, value: Value) -> Value:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(_written(value))
    return whole_second(moment)


def _time(_field: Field, value: Value) -> Value:
    return value if isinstance(value, time) else time.fromisoformat(_written(value))


def _written(value: Value) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def whole_second(moment: datetime) -> datetime:
    """The moment as the tables hold it: UTC without a zone, cut to the second."""
    utc = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return utc.replace(microsecond=0)


_NORMALISERS: Final[dict[str, Callable[[Field, Value], Value]]] = {
    "text": _text,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
}
