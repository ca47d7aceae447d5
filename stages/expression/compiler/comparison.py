"""=, <>, <, <=, >, >= and IS DISTINCT FROM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from stages.expression.compiler.coercion import agreed, coerce
from stages.expression.compiler.known import column_against
from stages.expression.compiler.operand import Operand, applied, computed, constant
from stages.expression.errors import Refusal
from stages.expression.types import Evaluate, SqlType
from stages.expression.values.conversions import IMPLICIT
from stages.expression.values.ordering import relation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Test: TypeAlias = Callable[[Any, Mapping[str, Any]], bool | None]

SIGNS: Final = ("=", "<>", "<", "<=", ">", ">=")
_MIRRORED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def compared_as(left: Operand, right: Operand) -> SqlType:
    """The type in which both are compared. Raises Refusal where there is none."""
    type_ = agreed(left.type, right.type)
    if type_ is None and (left.type or right.type):
        raise Refusal(
            left.at,
            f"{left.described} cannot be compared with {right.described}",
            "write a cast on one side: CAST(… AS text)",
        )
    return type_ or SqlType.TEXT


def _ready(operand: Operand, type_: SqlType) -> Operand:
    """`operand` in `type_`; an integer stays one beside a numeric, for Python compares them exactly."""
    if type_ is SqlType.NUMERIC and operand.type is SqlType.INTEGER and not operand.constant:
        return operand
    return coerce(operand, type_)


def comparison(sign: str, left: Operand, right: Operand, at: int) -> Operand:
    """left sign right, NULL where one of them is."""
    type_ = compared_as(left, right)
    left, right = _ready(left, type_), _ready(right, type_)
    if left.constant and not right.constant:
        left, right, sign = right, left, _MIRRORED.get(sign, sign)
    if left.column and right.constant and right.value is not None:
        evaluate = column_against(sign, type_, left.column, right.value)
        return computed(SqlType.BOOLEAN, evaluate, at, left, right)
    return applied(SqlType.BOOLEAN, relation(sign, type_), at, left, right)


def tester(sign: str, left: Operand, right: Operand) -> Test:
    """`left sign right` as a function of left's value and the row, for a left side compared repeatedly.

    Left is computed once so: once for every comparison, and nested ones would take exponential time.
    """
    type_ = compared_as(left, right)
    if left.constant:
        known = comparison(sign, left, right, left.at).evaluate
        return lambda _, row: known(row)
    convert = None if left.type is None else IMPLICIT.get((left.type, type_))
    relate, second = relation(sign, type_), coerce(right, type_).evaluate

    def test(value: Any, row: Mapping[str, Any]) -> bool | None:
        other = second(row)
        if value is None or other is None:
            return None
        return relate(value if convert is None else convert(value), other)

    return test


def distinct(left: Operand, right: Operand, at: int, *, negated: bool) -> Operand:
    """IS DISTINCT FROM, or with `negated` IS NOT DISTINCT FROM: never NULL, for NULL equals NULL here."""
    type_ = compared_as(left, right)
    left, right = _ready(left, type_), _ready(right, type_)
    evaluate = _same(relation("=", type_), left.evaluate, right.evaluate, negated)
    return computed(SqlType.BOOLEAN, evaluate, at, left, right)


def _same(equal: Callable[[Any, Any], bool], first: Evaluate, second: Evaluate, answer: bool) -> Evaluate:
    def evaluate(row: Any) -> bool:
        left, right = first(row), second(row)
        if left is None or right is None:
            return (left is right) is answer
        return equal(left, right) is answer

    return evaluate


def nullif(left: Operand, right: Operand, at: int) -> Operand:
    """NULL where both are equal, else the left one.

    Numbers of two types are compared in the wider one and stay in it; dates of two kinds stay as they are.
    """
    wider = compared_as(left, right)
    type_ = left.type if left.type in _KEPT and left.type is not None else wider
    known = coerce(left, type_)
    if known.constant and known.value is None:
        return constant(type_, None, at)
    test, first = tester("=", known, right), known.evaluate

    def evaluate(row: Any) -> Any:
        value = first(row)
        return None if test(value, row) is True else value

    return computed(type_, evaluate, at, known, right)


_KEPT: Final = (SqlType.DATE, SqlType.TIMESTAMP, SqlType.TIMESTAMPTZ)
