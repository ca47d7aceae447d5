"""Reading dates and timestamps from text: ISO 8601 and what Salesforce and Postgres themselves write."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from stages.expression.errors import EvaluationError

_DATE: Final = r"(?P<year>[0-9]{4,6})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
_TIME: Final = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?P<fraction>\.[0-9]*)?)?"
_ZONE: Final = (
    r"(?P<zulu>Z)|(?P<sign>[+-])(?P<hours>[0-9]{1,2})(?::?(?P<minutes>[0-9]{2})(?::?(?P<seconds>[0-9]{2}))?)?"
)
_MOMENT: Final = re.compile(
    rf"\s*{_DATE}(?:(?:T|\s+){_TIME}(?:\s*(?:{_ZONE}))?)?\s*", re.IGNORECASE | re.ASCII
)
_MAX_ZONE_HOURS: Final = 15
_DAY: Final = timedelta(days=1)  # 24:00 is the end of a day


def beyond() -> EvaluationError:
    """The error of a date outside the years 1 to 9999, the range of the rule language."""
    return EvaluationError("22008", "date/time out of range (the years 1 to 9999)")


def read_date(text: str) -> date:
    """The date that `text` spells; a time after it is dropped. Raises EvaluationError 22007 or 22008."""
    match = _match(text, "date")
    _time(match)
    _zone(match)
    return _day(match)


def read_timestamp(text: str) -> datetime:
    """The naive timestamp that `text` spells; a time zone in it is ignored, as Postgres does."""
    match = _match(text, "timestamp")
    _zone(match)
    return _at(match)


def read_timestamptz(text: str) -> datetime:
    """The moment that `text` spells, in UTC where it names no zone."""
    match = _match(text, "timestamp with time zone")
    try:
        return (_at(match) - _zone(match)).replace(tzinfo=UTC)
    except OverflowError:
        raise beyond() from None


def _match(text: str, type_: str) -> re.Match[str]:
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise EvaluationError(
            "22007", f"the text is no {type_} in the form 2026-01-31 or 2026-01-31T12:00:00Z"
        )
    return match


def _day(match: re.Match[str]) -> date:
    try:
        return date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        raise beyond() from None


def _at(match: re.Match[str]) -> datetime:
    day = _day(match)
    try:
        return datetime(day.year, day.month, day.day) + _time(match)  # noqa: DTZ001 - naive by its type
    except OverflowError:
        raise beyond() from None


def _time(match: re.Match[str]) -> timedelta:
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    fraction = match["fraction"] or "."
    microsecond = round(float(f"0{fraction}0") * 1_000_000)
    found = timedelta(hours=hour, minutes=minute, seconds=second, microseconds=microsecond)
    if minute > 59 or second > 60 or found > _DAY:
        raise EvaluationError("22008", "date/time field value out of range")
    return found


def _zone(match: re.Match[str]) -> timedelta:
    if match["sign"] is None:
        return timedelta()
    hours, minutes, seconds = (int(match[name] or 0) for name in ("hours", "minutes", "seconds"))
    if hours > _MAX_ZONE_HOURS or minutes > 59 or seconds > 59:
        raise EvaluationError("22009", "time zone displacement out of range")
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return -offset if match["sign"] == "-" else offset
