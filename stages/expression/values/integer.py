"""Postgres's `bigint`: 64 bits, with errors instead of wrapping round."""

from __future__ import annotations

from typing import Final

from stages.expression.values.numeric import division_by_zero, overflow

BOUNDS: Final = {
    "smallint": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
}
_LEAST, _MOST = BOUNDS["bigint"]


def held(value: int, type_: str = "bigint") -> int:
    """`value` where it fits `type_`. Raises EvaluationError 22003."""
    least, most = BOUNDS[type_]
    if not least <= value <= most:
        raise overflow(type_)
    return value


def add(left: int, right: int) -> int:
    """left + right."""
    result = left + right
    return result if _LEAST <= result <= _MOST else held(result)


def subtract(left: int, right: int) -> int:
    """left - right."""
    result = left - right
    return result if _LEAST <= result <= _MOST else held(result)


def multiply(left: int, right: int) -> int:
    """left * right."""
    result = left * right
    return result if _LEAST <= result <= _MOST else held(result)


def divide(left: int, right: int) -> int:
    """left / right, cut toward zero. Raises EvaluationError 22012."""
    if right == 0:
        raise division_by_zero()
    quotient = abs(left) // abs(right)
    return held(quotient if (left < 0) == (right < 0) else -quotient)


def modulo(left: int, right: int) -> int:
    """The rest of left / right, signed as left is. Raises EvaluationError 22012."""
    if right == 0:
        raise division_by_zero()
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def negate(value: int) -> int:
    """-value."""
    return held(-value)


def absolute(value: int) -> int:
    """The value without its sign."""
    return held(abs(value))
