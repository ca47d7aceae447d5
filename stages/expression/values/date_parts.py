"""EXTRACT and date_part: the parts of a date or timestamp, as `numeric` and as `double precision`."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from stages.expression.values.dates import in_utc
from stages.expression.values.numeric import EXACT, quantum

if TYPE_CHECKING:
    from collections.abc import Callable

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - compared with naive ones
_MICROSECOND: Final = timedelta(microseconds=1)

DAY_PARTS: Final[dict[str, Callable[[date], int]]] = {
    "year": lambda day: day.year,
    "month": lambda day: day.month,
    "day": lambda day: day.day,
    "quarter": lambda day: (day.month + 2) // 3,
    "week": lambda day: day.isocalendar().week,
    "isoyear": lambda day: day.isocalendar().year,
    "dow": lambda day: day.isoweekday() % 7,
    "isodow": lambda day: day.isoweekday(),
    "doy": lambda day: day.timetuple().tm_yday,
    "decade": lambda day: day.year // 10,
    "century": lambda day: (day.year + 99) // 100,
    "millennium": lambda day: (day.year + 999) // 1000,
}
_CLOCK_PARTS: Final[dict[str, Callable[[datetime], int]]] = {
    "hour": lambda at: at.hour,
    "minute": lambda at: at.minute,
}
_MICROSECONDS: Final[dict[str, Callable[[datetime], int]]] = {
    "second": lambda at: at.second * 1_000_000 + at.microsecond,
    "milliseconds": lambda at: at.second * 1_000_000 + at.microsecond,
    "microseconds": lambda at: at.second * 1_000_000 + at.microsecond,
    "epoch": lambda at: (at - _EPOCH) // _MICROSECOND,
}
_SCALES: Final = {"second": 6, "milliseconds": 3, "microseconds": 0, "epoch": 6}

PARTS: Final = (*DAY_PARTS, *_CLOCK_PARTS, *_MICROSECONDS)
"""Every part there is; a date has those of DAY_PARTS and the epoch."""


def extract_from_date(part: str) -> Callable[[date], Decimal] | None:
    """EXTRACT(part FROM date), or None where a date has no such part."""
    if part == "epoch":
        return lambda day: Decimal((day.toordinal() - _EPOCH.toordinal()) * 86_400)
    read = DAY_PARTS.get(part)
    return None if read is None else lambda day: Decimal(read(day))


def extract_from_timestamp(part: str) -> Callable[[datetime], Decimal]:
    """EXTRACT(part FROM timestamp); seconds and the epoch have six digits after the point."""
    read = _whole_part(part)
    if read is not None:
        return lambda at: Decimal(read(_plain(at)))
    count, unit = _MICROSECONDS[part], quantum(_SCALES[part])
    return lambda at: EXACT.multiply(Decimal(count(_plain(at))), unit)


def date_part(part: str) -> Callable[[datetime], float]:
    """date_part(part, timestamp)."""
    read = _whole_part(part)
    if read is not None:
        return lambda at: float(read(_plain(at)))
    if part == "epoch":
        return lambda at: _MICROSECONDS["epoch"](_plain(at)) / 1_000_000.0
    whole, fraction = {"second": (1.0, 1e6), "milliseconds": (1e3, 1e3), "microseconds": (1e6, 1.0)}[part]
    return lambda at: at.second * whole + at.microsecond / fraction


def _whole_part(part: str) -> Callable[[Any], int] | None:
    return DAY_PARTS.get(part) or _CLOCK_PARTS.get(part)


def _plain(at: datetime) -> datetime:
    """What a clock in UTC shows, without saying so."""
    return in_utc(at).replace(tzinfo=None)
