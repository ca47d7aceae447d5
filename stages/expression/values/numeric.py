"""Postgres's `numeric`: exact arithmetic with its scales, NaN and infinities.

A value's scale is its Decimal's negated exponent, never negative; zero carries no sign.
"""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, ROUND_DOWN, ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Final

from stages.expression.errors import EvaluationError

ZERO: Final = Decimal(0)
EXACT: Final = Context(prec=400_000, rounding=ROUND_HALF_UP, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[])
"""Wide enough that sums and products of what Postgres can hold are never rounded."""

MAX_DIGITS: Final = 131_072  # before the point
MAX_SCALE: Final = 16_383
_SIGNIFICANT: Final = 16  # digits that a quotient has at least
_MAX_QUOTIENT_SCALE: Final = 1_000
_GROUP: Final = 4  # Postgres computes in base 10,000
_SHORT: Final = 80
_DOWN: Final = Context(prec=_SHORT, rounding=ROUND_DOWN, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[])


def division_by_zero() -> EvaluationError:
    """The error of x / 0 and x % 0."""
    return EvaluationError("22012", "division by zero")


def overflow(type_: str) -> EvaluationError:
    """The error of a number too large for its type."""
    return EvaluationError("22003", f"{type_} out of range")


def held(value: Decimal) -> Decimal:
    """`value`, its zero unsigned. Raises EvaluationError 22003 where Postgres could not hold it."""
    if not value:
        return value.copy_abs()
    if value.adjusted() >= MAX_DIGITS:
        raise EvaluationError("22003", "value overflows numeric format")
    return value


def add(left: Decimal, right: Decimal) -> Decimal:
    """left + right."""
    return held(EXACT.add(left, right))


def subtract(left: Decimal, right: Decimal) -> Decimal:
    """left - right."""
    return held(EXACT.subtract(left, right))


def multiply(left: Decimal, right: Decimal) -> Decimal:
    """left * right, its scale the sum of theirs."""
    product = EXACT.multiply(left, right)
    if scale(product) > MAX_SCALE:
        product = product.quantize(quantum(MAX_SCALE), context=EXACT)
    return held(product)


def divide(left: Decimal, right: Decimal) -> Decimal:
    """left / right, rounded to the scale that Postgres chooses. Raises EvaluationError 22012."""
    if not right:
        if left.is_nan():
            return left
        raise division_by_zero()
    if not left.is_finite() or not right.is_finite():
        return ZERO if left.is_finite() and right.is_infinite() else EXACT.divide(left, right)
    digits = quotient_scale(left, right)
    needed = max(left.adjusted() - right.adjusted(), 0) + digits + 4
    context = _DOWN if needed <= _SHORT else Context(needed, ROUND_DOWN, MIN_EMIN, MAX_EMAX, traps=[])
    quotient = context.divide(left, right)  # cut off, never rounded: half of the last digit stays visible
    return held(quotient.quantize(quantum(digits), context=EXACT))


def modulo(left: Decimal, right: Decimal) -> Decimal:
    """The rest of left / right, signed as left is. Raises EvaluationError 22012."""
    if not right:
        if left.is_nan():
            return left
        raise division_by_zero()
    return held(EXACT.remainder(left, right))


def negate(value: Decimal) -> Decimal:
    """-value."""
    return EXACT.minus(value)


def quotient_scale(left: Decimal, right: Decimal) -> int:
    """Digits after the point of left / right: at least 16 significant ones, and no fewer than either has."""
    left_weight, left_first = _leading_group(left)
    right_weight, right_first = _leading_group(right)
    weight = left_weight - right_weight - (left_first <= right_first)
    wanted = max(_SIGNIFICANT - weight * _GROUP, scale(left), scale(right), 0)
    return min(wanted, _MAX_QUOTIENT_SCALE)


def _leading_group(value: Decimal) -> tuple[int, int]:
    """The power of 10,000 of the first base-10,000 digit, and that digit."""
    if not value:
        return 0, 0
    weight = value.adjusted() // _GROUP
    return weight, abs(int(EXACT.scaleb(value, -weight * _GROUP)))


def scale(value: Decimal) -> int:
    """Digits after the point; 0 for NaN and the infinities."""
    return -EXACT.multiply(value, ZERO).adjusted()  # shows the exponent without listing the digits


@lru_cache(maxsize=256)
def quantum(digits: int) -> Decimal:
    """One unit in the last of `digits` places after the point."""
    return Decimal((0, (1,), -digits))


def rounded(value: Decimal, digits: int, rounding: str = ROUND_HALF_UP) -> Decimal:
    """`value` with `digits` after the point; negative digits round tens and hundreds."""
    if not value.is_finite():
        return value
    return held(EXACT.add(value.quantize(quantum(digits), rounding, EXACT), ZERO))


def fitted(value: Decimal, precision: int, digits: int) -> Decimal:
    """`value` as numeric(precision, digits). Raises EvaluationError 22003 where it has too many digits."""
    if value.is_infinite():
        raise EvaluationError("22003", "numeric field overflow: infinity has no precision")
    found = rounded(value, digits)
    if found and not found.is_nan() and found.adjusted() >= precision - digits:
        raise EvaluationError("22003", f"numeric field overflow: numeric({precision},{digits})")
    return found
