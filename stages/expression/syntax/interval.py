"""Interval literals: '1 year 2 months 3 days 04 hours', whole numbers with units."""

from __future__ import annotations

import re
from typing import Final

from stages.expression.errors import Refusal
from stages.expression.syntax.tree import IntervalLiteral

_PART: Final = re.compile(r"([+-]?[0-9]{1,6})\s*([a-z]+)\s*", re.IGNORECASE)
_UNITS: Final = {  # months, days, microseconds
    "year": (12, 0, 0),
    "month": (1, 0, 0),
    "mon": (1, 0, 0),
    "week": (0, 7, 0),
    "day": (0, 1, 0),
    "hour": (0, 0, 3_600_000_000),
    "minute": (0, 0, 60_000_000),
    "min": (0, 0, 60_000_000),
    "second": (0, 0, 1_000_000),
    "sec": (0, 0, 1_000_000),
    "millisecond": (0, 0, 1_000),
    "microsecond": (0, 0, 1),
}


def interval_literal(text: str, at: int) -> IntervalLiteral:
    """The interval written as `text`. Raises Refusal where it is not whole numbers with known units."""
    text = text.strip()
    totals = (0, 0, 0)
    end = 0
    seen: set[str] = set()
    while match := _PART.match(text, end):
        unit = match[2].lower().removesuffix("s")
        if unit not in _UNITS or unit in seen:
            break
        seen.add(unit)
        totals = tuple(  # type: ignore[assignment] # three in, three out
            total + int(match[1]) * size for total, size in zip(totals, _UNITS[unit], strict=True)
        )
        end = match.end()
    if end == 0 or end != len(text):
        units = ", ".join(unit for unit in _UNITS if len(unit) > 3)
        raise Refusal(
            at, "an interval is whole numbers with units: INTERVAL '1 day'", f"the units are {units}"
        )
    return IntervalLiteral(*totals, at=at)
