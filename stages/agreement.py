"""Whether two values mean the same to two orgs, however each of them writes it, and keeps it."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from stages.expression.types import SqlType, modifiers, sql_type, unmodified

if TYPE_CHECKING:
    from collections.abc import Callable

_DIGITS: Final = Context(prec=15, rounding=ROUND_HALF_UP)
_NUMBERS: Final = frozenset({SqlType.INTEGER, SqlType.NUMERIC, SqlType.DOUBLE})
_MOMENTS: Final = frozenset({SqlType.TIMESTAMP, SqlType.TIMESTAMPTZ})


def same(one: Any, other: Any, type_: str) -> bool:
    """Whether two values of a column, whose type `format_type()` writes as `type_`, mean the same."""
    if one == other:
        return True
    canonical = _canonical_of(type_)
    return bool(canonical(one) == canonical(other))


@functools.lru_cache(maxsize=1024)
def _canonical_of(type_: str) -> Callable[[Any], Any]:
    kind = sql_type(type_)
    if kind in _NUMBERS or unmodified(type_) == "real":
        limits = modifiers(type_) if kind is SqlType.NUMERIC else ()
        return functools.partial(_number, limits[1] if len(limits) > 1 else 0 if limits else None)
    if kind in _MOMENTS:
        return _moment
    if kind is SqlType.DATE:
        return lambda value: None if value is None else str(value)[:10]
    return _text


def _text(value: Any) -> Any:
    return value.strip() or None if isinstance(value, str) else value


def _number(scale: int | None, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    try:
        number = Decimal(str(value))
        if scale is not None and number.is_finite():
            number = number.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)
        return _DIGITS.plus(number) if number.is_finite() else str(number)
    except InvalidOperation:  # no number: another text is another value
        return _text(value)


def _moment(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return _text(value)
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return value.replace(microsecond=0)
