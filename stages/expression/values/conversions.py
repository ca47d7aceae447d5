"""Conversions between the types: the implicit ones, and those that a cast or an assignment adds."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from stages.expression.errors import EvaluationError
from stages.expression.types import DATES, NUMBERS, SqlType
from stages.expression.values import dates, double
from stages.expression.values.integer import BOUNDS
from stages.expression.values.integer import held as held_integer
from stages.expression.values.numeric import EXACT, ZERO, overflow, rounded

if TYPE_CHECKING:
    from collections.abc import Callable

INTEGER, NUMERIC, DOUBLE = NUMBERS
DATE, TIMESTAMP, TIMESTAMPTZ = DATES
_INTEGER_DIGITS: Final = 20


def integer_to_double(value: int) -> float:
    """The nearest double."""
    return float(value)


def numeric_to_double(value: Decimal) -> float:
    """The nearest double. Raises EvaluationError 22003 where there is none but infinity or zero."""
    result = float(value)
    if value.is_finite() and (math.isinf(result) or (result == 0.0 and value)):
        raise overflow("double precision")
    return result


def double_to_numeric(value: float) -> Decimal:
    """Its first 15 digits, which are those a double surely has."""
    if not math.isfinite(value):
        return Decimal(value)
    return EXACT.add(Decimal(f"{value:.15g}"), ZERO)


def numeric_to_integer(value: Decimal, type_: str = "bigint") -> int:
    """The nearest integer, halves away from zero. Raises EvaluationError 22003, 0A000 for NaN or infinity."""
    if not value.is_finite():
        raise EvaluationError("0A000", f"cannot convert NaN or infinity to {type_}")
    if value.adjusted() > _INTEGER_DIGITS:
        raise overflow(type_)
    return held_integer(int(rounded(value, 0)), type_)


def double_to_integer(value: float, type_: str = "bigint") -> int:
    """The nearest integer, halves to the even one. Raises EvaluationError 22003."""
    if not math.isfinite(value) or not BOUNDS[type_][0] <= double.whole(value) <= BOUNDS[type_][1]:
        raise overflow(type_)
    return int(double.whole(value))


IMPLICIT: Final[dict[tuple[SqlType, SqlType], Callable[[Any], Any]]] = {
    (INTEGER, NUMERIC): Decimal,
    (INTEGER, DOUBLE): integer_to_double,
    (NUMERIC, DOUBLE): numeric_to_double,
    (DATE, TIMESTAMP): dates.date_to_timestamp,
    (DATE, TIMESTAMPTZ): dates.date_to_timestamptz,
    (TIMESTAMP, TIMESTAMPTZ): dates.timestamp_to_timestamptz,
}
"""Taken wherever an operand of one type stands where the other is wanted."""

ASSIGNED: Final[dict[tuple[SqlType, SqlType], Callable[[Any], Any]]] = {
    **IMPLICIT,
    (DOUBLE, NUMERIC): double_to_numeric,
    (NUMERIC, INTEGER): numeric_to_integer,
    (DOUBLE, INTEGER): double_to_integer,
    (TIMESTAMP, DATE): dates.timestamp_to_date,
    (TIMESTAMPTZ, DATE): dates.timestamptz_to_date,
    (TIMESTAMPTZ, TIMESTAMP): dates.timestamptz_to_timestamp,
}
"""Taken by casts too, and when a value is written to a column."""
