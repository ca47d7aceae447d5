"""AT TIME ZONE with a zone of the tz database."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stages.expression.errors import Refusal
from stages.expression.values.datetime_input import beyond

if TYPE_CHECKING:
    from collections.abc import Callable

_NAME: Final = re.compile(r"UTC|[A-Z][A-Za-z]+(?:/[A-Z][A-Za-z_+-]+){1,2}")


def zone(name: str, at: int) -> ZoneInfo:
    """The zone called `name`. Raises Refusal for anything but UTC and Area/Place.

    Abbreviations and offsets are refused: `EST` is one offset here and a zone there, and the sign of `+02`
    is read both ways.
    """
    if _NAME.fullmatch(name):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, OSError):
            pass
    raise Refusal(
        at, f"{name} is no time zone of the rule language", "write 'UTC' or a place: 'Europe/Berlin'"
    )


def clock_in(place: ZoneInfo) -> Callable[[datetime], datetime]:
    """timestamptz AT TIME ZONE place: what a clock there shows."""

    def convert(at: datetime) -> datetime:
        try:
            return at.astimezone(place).replace(tzinfo=None, fold=0)
        except OverflowError:
            raise beyond() from None

    return convert


def moment_in(place: ZoneInfo) -> Callable[[datetime], datetime]:
    """timestamp AT TIME ZONE place: the moment at which a clock there shows it.

    A time that the clock skips or shows twice is taken with the smaller offset, as Postgres does.
    """

    def convert(shown: datetime) -> datetime:
        early, late = shown.replace(tzinfo=place), shown.replace(tzinfo=place, fold=1)
        first, second = early.utcoffset(), late.utcoffset()
        assert first is not None  # noqa: S101 - a ZoneInfo always knows
        assert second is not None  # noqa: S101 - the same
        try:
            return (shown - min(first, second)).replace(tzinfo=UTC)
        except OverflowError:
            raise beyond() from None

    return convert
