"""Postgres's `double precision`: IEEE 754 with errors where a finite result is lost."""

from __future__ import annotations

import math

from stages.expression.errors import EvaluationError
from stages.expression.values.numeric import division_by_zero


def too_large() -> EvaluationError:
    """The error of a result beyond the largest double."""
    return EvaluationError("22003", "value out of range: overflow")


def too_small() -> EvaluationError:
    """The error of a result that is not zero and yet becomes it."""
    return EvaluationError("22003", "value out of range: underflow")


def add(left: float, right: float) -> float:
    """left + right."""
    result = left + right
    if math.isinf(result) and not math.isinf(left) and not math.isinf(right):
        raise too_large()
    return result


def subtract(left: float, right: float) -> float:
    """left - right."""
    return add(left, -right)


def multiply(left: float, right: float) -> float:
    """left * right."""
    result = left * right
    if math.isinf(result) and not math.isinf(left) and not math.isinf(right):
        raise too_large()
    if result == 0.0 and left != 0.0 and right != 0.0:
        raise too_small()
    return result


def divide(left: float, right: float) -> float:
    """left / right. Raises EvaluationError 22012."""
    if right == 0.0:
        if math.isnan(left):
            return left
        raise division_by_zero()
    result = left / right
    if math.isinf(result) and not math.isinf(left):
        raise too_large()
    if result == 0.0 and left != 0.0 and not math.isinf(right):
        raise too_small()
    return result


def negate(value: float) -> float:
    """-value."""
    return -value


def whole(value: float) -> float:
    """The nearest whole number, halves to the even one."""
    return math.copysign(round(value), value) if math.isfinite(value) else value


def ceil(value: float) -> float:
    """The next whole number above."""
    return math.copysign(math.ceil(value), value) if math.isfinite(value) else value


def floor(value: float) -> float:
    """The next whole number below."""
    return math.copysign(math.floor(value), value) if math.isfinite(value) else value


def truncate(value: float) -> float:
    """The whole number toward zero."""
    return math.copysign(math.trunc(value), value) if math.isfinite(value) else value


def sign(value: float) -> float:
    """-1, 0 or 1; 0 for NaN."""
    return float((value > 0) - (value < 0))
