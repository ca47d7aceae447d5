"""+, -, *, /, % and the minus sign, chosen by the operands' types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stages.expression.compiler.coercion import agreed, coerce
from stages.expression.compiler.operand import Operand, applied
from stages.expression.errors import Refusal
from stages.expression.types import DATES, NUMBERS, SqlType
from stages.expression.values import dates, double, integer, numeric

if TYPE_CHECKING:
    from collections.abc import Callable

    from stages.expression.syntax.tree import IntervalLiteral

SIGNS: Final = ("+", "-", "*", "/", "%")
_INTEGER, _NUMERIC, _DOUBLE = NUMBERS
_FUNCTIONS: Final[dict[tuple[str, SqlType], Callable[[Any, Any], Any]]] = {
    ("+", _INTEGER): integer.add,
    ("-", _INTEGER): integer.subtract,
    ("*", _INTEGER): integer.multiply,
    ("/", _INTEGER): integer.divide,
    ("%", _INTEGER): integer.modulo,
    ("+", _NUMERIC): numeric.add,
    ("-", _NUMERIC): numeric.subtract,
    ("*", _NUMERIC): numeric.multiply,
    ("/", _NUMERIC): numeric.divide,
    ("%", _NUMERIC): numeric.modulo,
    ("+", _DOUBLE): double.add,
    ("-", _DOUBLE): double.subtract,
    ("*", _DOUBLE): double.multiply,
    ("/", _DOUBLE): double.divide,
}
_NEGATIONS: Final[dict[SqlType, Callable[[Any], Any]]] = {
    _INTEGER: integer.negate,
    _NUMERIC: numeric.negate,
    _DOUBLE: double.negate,
}
_MOST_DAYS: Final = 2**31 - 1


def arithmetic(sign: str, left: Operand, right: Operand, at: int) -> Operand:
    """left sign right, of numbers or of a date and days. Raises Refusal for other types."""
    if left.type in DATES or right.type in DATES:
        return _with_date(sign, left, right, at)
    type_ = agreed(left.type, right.type)
    if type_ is None or type_ not in NUMBERS:
        raise Refusal(at, f"{left.described} {sign} {right.described} is not defined", _hint(sign, type_))
    compute = _FUNCTIONS.get((sign, type_))
    if compute is None:
        raise Refusal(at, f"{type_.value} has no {sign}", "write CAST(… AS numeric)")
    first, second = coerce(left, type_), coerce(right, type_)
    return applied(type_, compute, at, first, second)


def negative(operand: Operand, at: int) -> Operand:
    """-operand."""
    negate = _NEGATIONS.get(operand.type) if operand.type else None
    if operand.type is None or negate is None:
        raise Refusal(at, f"the minus sign stands before a number, not {operand.described}")
    return applied(operand.type, negate, at, operand)


def _with_date(sign: str, left: Operand, right: Operand, at: int) -> Operand:
    """date + days, days + date, date - days, date - date: what else Postgres has gives an interval."""
    if sign == "-" and left.type is SqlType.DATE and right.type in {SqlType.DATE, None}:
        first, second = left, coerce(right, SqlType.DATE)
        return applied(SqlType.INTEGER, dates.days_between, at, first, second)
    if sign == "-" and right.type is SqlType.DATE and left.type is None:
        first = coerce(left, SqlType.DATE)
        return applied(SqlType.INTEGER, dates.days_between, at, first, right)
    if sign == "+" and left.type is SqlType.INTEGER:
        left, right = right, left
    if sign in {"+", "-"} and left.type is SqlType.DATE and right.type is SqlType.INTEGER:
        return _by_days(dates.add_days if sign == "+" else dates.subtract_days, left, right, at)
    raise Refusal(
        at,
        f"{left.described} {sign} {right.described} is not defined",
        "a date takes + or - days, a timestamp + or - INTERVAL '1 hour'",
    )


def _by_days(compute: Callable[[Any, Any], Any], day: Operand, days: Operand, at: int) -> Operand:
    if not days.constant or days.value is None or abs(days.value) > _MOST_DAYS:
        raise Refusal(
            days.at, "days are added as a number written out", "write a whole number: signed__c + 30"
        )
    return applied(SqlType.DATE, compute, at, day, days)


def with_interval(sign: str, operand: Operand, interval: IntervalLiteral, at: int) -> Operand:
    """A date or timestamp moved by an interval; a date becomes a timestamp."""
    if operand.type not in DATES:
        raise Refusal(at, f"an interval moves a date or timestamp, not {operand.described}", "write a cast")
    if operand.type is SqlType.DATE:
        operand = coerce(operand, SqlType.TIMESTAMP)
    towards = 1 if sign == "+" else -1
    type_ = operand.type or SqlType.TIMESTAMP
    return applied(type_, lambda value: dates.shift(value, interval, towards), at, operand)


def _hint(sign: str, type_: SqlType | None) -> str | None:
    if type_ is SqlType.TEXT and sign == "+":
        return "write || to join texts"
    return "write a cast: CAST(… AS numeric)" if type_ in {SqlType.TEXT, None} else None
