"""How values of each type compare: texts by code point, NaN equal to itself and above every number."""

from __future__ import annotations

import operator
from decimal import InvalidOperation
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from stages.expression.types import SqlType

if TYPE_CHECKING:
    from collections.abc import Callable

    Relation: TypeAlias = Callable[[Any, Any], bool]

_PLAIN: Final[dict[str, Relation]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def is_nan(value: Any) -> bool:
    """Whether a number is NaN, the only value that is not itself."""
    return bool(value != value)  # noqa: PLR0124 - see above


def _aware_of_nan(sign: str) -> Relation:
    plain = _PLAIN[sign]

    def relate(left: Any, right: Any) -> bool:
        if left == left and right == right:  # noqa: PLR0124 - neither is NaN
            return plain(left, right)
        return plain(is_nan(left), is_nan(right))

    return relate


def _caught_by_nan(sign: str) -> Relation:
    """For NUMERIC, whose order with NaN raises: the check costs nothing until then."""
    plain = _PLAIN[sign]

    def relate(left: Any, right: Any) -> bool:
        try:
            return plain(left, right)
        except InvalidOperation:
            return plain(is_nan(left), is_nan(right))

    return relate


_DOUBLE: Final = {sign: _aware_of_nan(sign) for sign in _PLAIN}
_NUMERIC: Final = {
    sign: _aware_of_nan(sign) if sign in {"=", "<>"} else _caught_by_nan(sign) for sign in _PLAIN
}
_BY_TYPE: Final = {SqlType.DOUBLE: _DOUBLE, SqlType.NUMERIC: _NUMERIC}


def relation(sign: str, type_: SqlType) -> Relation:
    """`sign` as a function of two values of `type_`, neither NULL."""
    return _BY_TYPE.get(type_, _PLAIN)[sign]
