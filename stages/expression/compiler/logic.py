"""AND, OR, NOT and the IS predicates, in three-valued logic. AND and OR stop at the operand that decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stages.expression.compiler.coercion import coerce
from stages.expression.compiler.operand import Operand, applied, computed
from stages.expression.types import Evaluate, SqlType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def connective(name: str, operands: Sequence[Operand], at: int) -> Operand:
    """AND or OR of two or more conditions."""
    truths = [coerce(operand, SqlType.BOOLEAN) for operand in operands]
    parts = [truth.evaluate for truth in truths]
    decides = name == "or"
    if len(parts) == 2:
        evaluate = _connect_two(decides, parts[0], parts[1])
    elif len(parts) == 3:
        evaluate = _connect_two(decides, _connect_two(decides, parts[0], parts[1]), parts[2])
    else:
        evaluate = _connect_many(decides, tuple(parts))
    return computed(SqlType.BOOLEAN, evaluate, at, *truths)


def _connect_two(decides: bool, first: Evaluate, second: Evaluate) -> Evaluate:
    def evaluate(row: Any) -> Any:
        left = first(row)
        if left is decides:
            return decides
        right = second(row)
        if right is decides:
            return decides
        return None if left is None else right

    return evaluate


def _connect_many(decides: bool, parts: tuple[Evaluate, ...]) -> Evaluate:
    def evaluate(row: Any) -> Any:
        result: bool | None = not decides
        for part in parts:
            value = part(row)
            if value is decides:
                return decides
            if value is None:
                result = None
        return result

    return evaluate


def negation(operand: Operand, at: int) -> Operand:
    """NOT of a condition."""
    truth = coerce(operand, SqlType.BOOLEAN)
    return applied(SqlType.BOOLEAN, _negate, at, truth)


def _negate(value: bool) -> bool:
    return not value


def is_null(operand: Operand, at: int) -> Operand:
    """IS NULL."""
    part = operand.evaluate
    return computed(SqlType.BOOLEAN, lambda row: part(row) is None, at, operand)


def is_true(operand: Operand, at: int) -> Operand:
    """IS TRUE."""
    truth = coerce(operand, SqlType.BOOLEAN)
    part = truth.evaluate
    return computed(SqlType.BOOLEAN, lambda row: part(row) is True, at, truth)


def is_false(operand: Operand, at: int) -> Operand:
    """IS FALSE."""
    truth = coerce(operand, SqlType.BOOLEAN)
    part = truth.evaluate
    return computed(SqlType.BOOLEAN, lambda row: part(row) is False, at, truth)


PREDICATES: Final[dict[str, Callable[[Operand, int], Operand]]] = {
    "not": negation,
    "is null": is_null,
    "is true": is_true,
    "is false": is_false,
}
