"""date_trunc: the beginning of the hour, day, quarter … that a timestamp lies in."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from stages.expression.values.dates import in_utc
from stages.expression.values.datetime_input import beyond

if TYPE_CHECKING:
    from collections.abc import Callable


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _monday(at: datetime) -> datetime:
    return _midnight(at) - timedelta(days=at.weekday())


def _first(at: datetime, *, year: int, month: int = 1) -> datetime:
    if year < 1:
        raise beyond()
    return _midnight(at).replace(year=year, month=month, day=1)


TRUNCATIONS: Final[dict[str, Callable[[datetime], datetime]]] = {
    "microseconds": lambda at: at,
    "milliseconds": lambda at: at.replace(microsecond=at.microsecond // 1_000 * 1_000),
    "second": lambda at: at.replace(microsecond=0),
    "minute": lambda at: at.replace(second=0, microsecond=0),
    "hour": lambda at: at.replace(minute=0, second=0, microsecond=0),
    "day": _midnight,
    "week": _monday,
    "month": lambda at: _first(at, year=at.year, month=at.month),
    "quarter": lambda at: _first(at, year=at.year, month=(at.month - 1) // 3 * 3 + 1),
    "year": lambda at: _first(at, year=at.year),
    "decade": lambda at: _first(at, year=at.year // 10 * 10),
    "century": lambda at: _first(at, year=(at.year - 1) // 100 * 100 + 1),
    "millennium": lambda at: _first(at, year=(at.year - 1) // 1000 * 1000 + 1),
}


def truncate(part: str) -> Callable[[datetime], datetime]:
    """date_trunc(part, …) of a timestamp, with or without time zone."""
    cut = TRUNCATIONS[part]
    return lambda at: cut(in_utc(at))
