"""abs, ceil, floor, mod, round, sign and trunc, by the type of their argument as Postgres resolves it."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any, Final

from stages.expression.compiler.arithmetic import arithmetic
from stages.expression.compiler.coercion import coerce
from stages.expression.compiler.operand import Operand, applied
from stages.expression.errors import Refusal
from stages.expression.types import NUMBERS, SqlType
from stages.expression.values import double, integer, numeric

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_DIGITS: Final = 1_000


def _numeric_sign(value: Decimal) -> Decimal:
    return value if value.is_nan() else Decimal((value > 0) - (value < 0))


_OF_NUMERIC: Final[dict[str, Callable[[Decimal], Decimal]]] = {
    "abs": Decimal.copy_abs,  # abs() would round to the context's precision
    "ceil": lambda value: numeric.rounded(value, 0, ROUND_CEILING),
    "floor": lambda value: numeric.rounded(value, 0, ROUND_FLOOR),
    "round": lambda value: numeric.rounded(value, 0),
    "sign": _numeric_sign,
    "trunc": lambda value: numeric.rounded(value, 0, ROUND_DOWN),
}
_OF_DOUBLE: Final[dict[str, Callable[[float], float]]] = {
    "abs": abs,
    "ceil": double.ceil,
    "floor": double.floor,
    "round": double.whole,
    "sign": double.sign,
    "trunc": double.truncate,
}
NAMES: Final = tuple(_OF_NUMERIC)


def numeric_function(name: str, arguments: Sequence[Operand], at: int) -> Operand:
    """A call of one of NAMES. Integers give a double, but for abs; with a number of digits, a numeric."""
    value = arguments[0]
    if value.type is None or value.type not in NUMBERS:
        raise Refusal(value.at, f"{name} takes a number, not {value.described}", "write CAST(… AS numeric)")
    if len(arguments) == 2:
        return _to_digits(name, value, arguments[1], at)
    if name == "abs" and value.type is SqlType.INTEGER:
        return applied(SqlType.INTEGER, integer.absolute, at, value)
    if value.type is SqlType.NUMERIC:
        return applied(SqlType.NUMERIC, _OF_NUMERIC[name], at, value)
    number = coerce(value, SqlType.DOUBLE)
    return applied(SqlType.DOUBLE, _OF_DOUBLE[name], at, number)


def _to_digits(name: str, value: Operand, digits: Operand, at: int) -> Operand:
    if value.type is SqlType.DOUBLE:
        raise Refusal(value.at, f"{name} to digits takes a numeric", f"write {name}(CAST(… AS numeric), 2)")
    known = digits.value
    if digits.type is not SqlType.INTEGER or not isinstance(known, int) or abs(known) > MOST_DIGITS:
        raise Refusal(digits.at, f"the digits of {name} are a number written out, up to {MOST_DIGITS}")
    rounding: dict[str, Any] = {"rounding": ROUND_DOWN} if name == "trunc" else {}
    number = coerce(value, SqlType.NUMERIC)
    return applied(SqlType.NUMERIC, lambda found: numeric.rounded(found, known, **rounding), at, number)


def mod(arguments: Sequence[Operand], at: int) -> Operand:
    """mod(a, b), which is a % b."""
    left, right = arguments
    return arithmetic("%", left, right, at)
