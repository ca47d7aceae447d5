"""Comparisons of a column with a constant: the commonest conditions, each in one call."""

from __future__ import annotations

from decimal import InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from stages.expression.types import SqlType
from stages.expression.values.ordering import is_nan, relation

if TYPE_CHECKING:
    from collections.abc import Callable

    from stages.expression.types import Evaluate


def _equal(name: str, known: Any) -> Evaluate:
    def evaluate(row: Any) -> Any:
        value = row[name]
        return None if value is None else value == known

    return evaluate


def _unequal(name: str, known: Any) -> Evaluate:
    def evaluate(row: Any) -> Any:
        value = row[name]
        return None if value is None else value != known

    return evaluate


def _less(name: str, known: Any) -> Evaluate:
    def evaluate(row: Any) -> Any:
        value = row[name]
        try:
            return None if value is None else value < known
        except InvalidOperation:
            return False  # the value is NaN, above every number

    return evaluate


def _at_most(name: str, known: Any) -> Evaluate:
    def evaluate(row: Any) -> Any:
        value = row[name]
        try:
            return None if value is None else value <= known
        except InvalidOperation:
            return False  # the value is NaN, above every number

    return evaluate


def _greater(name: str, known: Any) -> Evaluate:
    def evaluate(row: Any) -> Any:
        value = row[name]
        try:
            return None if value is None else value > known
        except InvalidOperation:
            return True  # the value is NaN, above every number

    return evaluate


def _at_least(name: str, known: Any) -> Evaluate:
    def evaluate(row: Any) -> Any:
        value = row[name]
        try:
            return None if value is None else value >= known
        except InvalidOperation:
            return True  # the value is NaN, above every number

    return evaluate


_CLOSURES: Final[dict[str, Callable[[str, Any], Evaluate]]] = {
    "=": _equal,
    "<>": _unequal,
    "<": _less,
    "<=": _at_most,
    ">": _greater,
    ">=": _at_least,
}


def column_against(sign: str, type_: SqlType, name: str, known: Any) -> Evaluate:
    """`column sign known` for values of `type_`; `known` is not NULL."""
    if is_nan(known) or (type_ is SqlType.DOUBLE and sign in {">", ">="}):
        return _by_relation(name, relation(sign, type_), known)
    return _CLOSURES[sign](name, known)


def _by_relation(name: str, relate: Callable[[Any, Any], bool], known: Any) -> Evaluate:
    def evaluate(row: Any) -> Any:
        value = row[name]
        return None if value is None else relate(value, known)

    return evaluate


def column_in(name: str, values: frozenset[Any], otherwise: bool | None) -> Evaluate:
    """Whether the column is one of `values`, `otherwise` where it is not."""

    def evaluate(row: Any) -> Any:
        value = row[name]
        if value in values:
            return True
        return None if value is None else otherwise

    return evaluate
