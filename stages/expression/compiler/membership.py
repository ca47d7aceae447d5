"""IN and BETWEEN. The value is computed once, however many things it is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stages.expression.compiler.coercion import agreed, coerce
from stages.expression.compiler.comparison import comparison, tester
from stages.expression.compiler.known import column_in
from stages.expression.compiler.operand import Operand, computed
from stages.expression.types import Evaluate, SqlType
from stages.expression.values.conversions import IMPLICIT
from stages.expression.values.ordering import is_nan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stages.expression.compiler.comparison import Test


def between(value: Operand, low: Operand, high: Operand, at: int) -> Operand:
    """low <= value AND value <= high."""
    above, below = tester(">=", value, low), tester("<=", value, high)
    part = value.evaluate

    def evaluate(row: Any) -> bool | None:
        found = part(row)
        first = above(found, row)
        if first is False:
            return False
        second = below(found, row)
        return second if first is True or second is False else None

    return computed(SqlType.BOOLEAN, evaluate, at, value, low, high)


def membership(value: Operand, items: Sequence[Operand], at: int) -> Operand:
    """value IN (items): constants of one type through a set, the others by `=` each."""
    if len(items) == 1:
        return comparison("=", value, items[0], at)
    known = [item for item in items if not item.columns]
    type_ = _shared(value, known) if len(known) > 1 else None
    if type_ is None:
        tests = [tester("=", value, item) for item in items]
    else:
        same = [coerce(item, type_) for item in known]
        if len(known) == len(items) and _plain(same):
            return _in_constants(coerce(value, type_), same, at)
        tests = _after_conversion(value, same, type_)
        tests += [tester("=", value, item) for item in items if item.columns]
    return computed(SqlType.BOOLEAN, _any(value.evaluate, tuple(tests)), at, value, *items)


def _shared(value: Operand, items: Sequence[Operand]) -> SqlType | None:
    """The type that the value and all items take together, as Postgres makes an array of them; else None."""
    type_ = value.type
    for item in items:
        wider = agreed(type_, item.type)
        if wider is None and (type_ or item.type):
            return None
        type_ = wider
    return type_ or SqlType.TEXT


def _plain(items: Sequence[Operand]) -> bool:
    return all(item.constant and not is_nan(item.value) for item in items)


def _after_conversion(value: Operand, items: Sequence[Operand], type_: SqlType) -> list[Test]:
    """Tests of a value that is converted to the items' type first."""
    if value.type is None or value.type is type_:
        return [tester("=", coerce(value, type_), item) for item in items]
    convert = IMPLICIT[value.type, type_]
    wanted = Operand(type_, value.evaluate, value.at, value.columns)
    return [_converted(convert, tester("=", wanted, item)) for item in items]


def _converted(convert: Any, test: Test) -> Test:
    return lambda value, row: test(None if value is None else convert(value), row)


def _in_constants(value: Operand, items: Sequence[Operand], at: int) -> Operand:
    values = frozenset(item.value for item in items)
    otherwise = None if None in values else False
    listed = values - {None}
    if value.column:
        found = column_in(value.column, listed, otherwise)
    else:
        found = _in_set(value.evaluate, listed, otherwise)
    return computed(SqlType.BOOLEAN, found, at, value, *items)


def _in_set(part: Evaluate, values: frozenset[Any], otherwise: bool | None) -> Evaluate:
    def evaluate(row: Any) -> bool | None:
        value = part(row)
        if value in values:
            return True
        return None if value is None else otherwise

    return evaluate


def _any(part: Evaluate, tests: tuple[Test, ...]) -> Evaluate:
    def evaluate(row: Any) -> bool | None:
        value = part(row)
        result: bool | None = False
        for test in tests:
            found = test(value, row)
            if found is True:
                return True
            if found is None:
                result = None
        return result

    return evaluate
