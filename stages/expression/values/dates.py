"""Dates and timestamps: conversions between them and steps in time, all under TimeZone UTC."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from stages.expression.values.datetime_input import beyond

if TYPE_CHECKING:
    from stages.expression.syntax.tree import IntervalLiteral


def date_to_timestamp(value: date) -> datetime:
    """Its midnight."""
    return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - naive by its type


def date_to_timestamptz(value: date) -> datetime:
    """Its midnight in UTC."""
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def timestamp_to_timestamptz(value: datetime) -> datetime:
    """The moment at which a clock in UTC shows it."""
    return value.replace(tzinfo=UTC)


def timestamptz_to_timestamp(value: datetime) -> datetime:
    """What a clock in UTC shows at that moment."""
    return in_utc(value).replace(tzinfo=None)


def in_utc(value: datetime) -> datetime:
    """`value` told in UTC; a naive one as it is. Raises EvaluationError 22008."""
    if value.tzinfo is None or value.tzinfo is UTC:
        return value
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise beyond() from None


def timestamp_to_date(value: datetime) -> date:
    """Its day."""
    return value.date()


def timestamptz_to_date(value: datetime) -> date:
    """Its day in UTC."""
    return timestamptz_to_timestamp(value).date()


def add_days(value: date, days: int) -> date:
    """`value` and `days` after it. Raises EvaluationError 22008."""
    try:
        return value + timedelta(days=days)
    except OverflowError:
        raise beyond() from None


def subtract_days(value: date, days: int) -> date:
    """`value` and `days` before it. Raises EvaluationError 22008."""
    return add_days(value, -days)


def days_between(later: date, earlier: date) -> int:
    """Days from `earlier` to `later`."""
    return later.toordinal() - earlier.toordinal()


def shift(value: datetime, by: IntervalLiteral, sign: int = 1) -> datetime:
    """`value` moved by months (to the end of a shorter month), then days, then time."""
    value = in_utc(value)
    month = value.year * 12 + value.month - 1 + sign * by.months
    year = month // 12
    if not 1 <= year <= 9999:
        raise beyond()
    last = calendar.monthrange(year, month % 12 + 1)[1]
    moved = value.replace(year=year, month=month % 12 + 1, day=min(value.day, last))
    try:
        return moved + timedelta(days=sign * by.days, microseconds=sign * by.microseconds)
    except OverflowError:
        raise beyond() from None
