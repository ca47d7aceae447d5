"""A compiled part of an expression: its type and the closure that computes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from stages.expression.errors import EvaluationError
from stages.expression.types import Evaluate, SqlType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Operand(msgspec.Struct, frozen=True):
    """A compiled node. A `type` of None is Postgres's "unknown": a bare text literal or NULL."""

    type: SqlType | None
    evaluate: Evaluate
    at: int
    columns: frozenset[str] = frozenset()
    constant: bool = False
    value: Any = None  # of a constant
    column: str | None = None  # its name where it is nothing else

    @property
    def described(self) -> str:
        """Its type in an error's words."""
        if self.type is None:
            return "NULL" if self.value is None else "a text literal"
        return self.type.value


def constant(type_: SqlType | None, value: Any, at: int, columns: frozenset[str] = frozenset()) -> Operand:
    """An operand that is `value` for every row, though it may name `columns`."""
    return Operand(type_, lambda _: value, at, columns, constant=True, value=value)


def computed(type_: SqlType, evaluate: Evaluate, at: int, *parts: Operand) -> Operand:
    """An operand computed from `parts`: at once where all are constant and it does not fail."""
    columns = _columns(parts)
    if all(part.constant for part in parts):
        try:
            return constant(type_, evaluate({}), at, columns)
        except EvaluationError:
            pass  # fails for the rows that come to it: CASE may guard it
    return Operand(type_, evaluate, at, columns)


def applied(type_: SqlType, function: Callable[..., Any], at: int, *parts: Operand) -> Operand:
    """`function` of the parts' values, NULL where one of them is NULL.

    Beside a part that is always NULL the others are not computed, unless one is sure to fail: so it is in
    Postgres, which simplifies constants first.
    """
    fails = any(not part.constant and not part.columns for part in parts)
    if not fails and any(part.constant and part.value is None for part in parts):
        return constant(type_, None, at, _columns(parts))
    return computed(type_, _strict(function, *parts), at, *parts)


def _columns(parts: Sequence[Operand]) -> frozenset[str]:
    return frozenset[str]().union(*(part.columns for part in parts))


def _strict(function: Callable[..., Any], *parts: Operand) -> Evaluate:
    if len(parts) == 1:
        return _strict_one(function, parts[0].evaluate)
    if len(parts) == 2:
        first, second = parts
        if second.constant and second.value is not None:
            return _strict_known(function, first.evaluate, second.value)
        return _strict_two(function, first.evaluate, second.evaluate)
    return _strict_many(function, tuple(part.evaluate for part in parts))


def _strict_one(function: Callable[..., Any], first: Evaluate) -> Evaluate:
    def evaluate(row: Any) -> Any:
        value = first(row)
        return None if value is None else function(value)

    return evaluate


def _strict_known(function: Callable[..., Any], first: Evaluate, known: Any) -> Evaluate:
    def evaluate(row: Any) -> Any:
        value = first(row)
        return None if value is None else function(value, known)

    return evaluate


def _strict_two(function: Callable[..., Any], first: Evaluate, second: Evaluate) -> Evaluate:
    def evaluate(row: Any) -> Any:
        left, right = first(row), second(row)
        return None if left is None or right is None else function(left, right)

    return evaluate


def _strict_many(function: Callable[..., Any], parts: tuple[Evaluate, ...]) -> Evaluate:
    def evaluate(row: Any) -> Any:
        values = [part(row) for part in parts]
        return None if None in values else function(*values)

    return evaluate
