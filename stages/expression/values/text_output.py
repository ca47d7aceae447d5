"""Writing values as text, as casts to `text` do under DateStyle ISO and TimeZone UTC."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from stages.expression.types import SqlType
from stages.expression.values.dates import in_utc

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

_LONGEST: Final = 17  # digits that always tell a double from its neighbours
_WIDEST: Final = 15  # digits before the point without an exponent


def write_boolean(value: bool) -> str:
    """true or false."""
    return "true" if value else "false"


def write_numeric(value: Decimal) -> str:
    """All its digits, never an exponent."""
    return format(value, "f")


def write_double(value: float) -> str:
    """The fewest digits that read back as the same double."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    sign, digits, exponent = _shortest(value).as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - it is finite
    text = "".join(map(str, digits)).rstrip("0") or "0"
    point = exponent + len(digits)  # where it stands within the digits
    minus = "-" if sign else ""
    if value == 0.0:
        return f"{minus}0"
    if not -4 < point <= _WIDEST:
        mantissa = text[0] + (f".{text[1:]}" if len(text) > 1 else "")
        return f"{minus}{mantissa}e{point - 1:+03d}"
    if point <= 0:
        return f"{minus}0.{'0' * -point}{text}"
    whole, rest = text[:point].ljust(point, "0"), text[point:]
    return f"{minus}{whole}.{rest}" if rest else f"{minus}{whole}"


def _shortest(value: float) -> Decimal:
    """The shortest decimal strictly between the midpoints to the neighbours.

    Python also takes a midpoint itself where it would be rounded to `value`; Postgres does not, so that
    any reader gets the same double.
    """
    found = Decimal(repr(value))
    digits = len(found.as_tuple().digits)
    exact = Decimal(value)
    while not _between_midpoints(found, value, exact) and digits < _LONGEST:
        digits += 1
        found = Decimal(f"{value:.{digits - 1}e}")
    return found


def _between_midpoints(found: Decimal, value: float, exact: Decimal) -> bool:
    if found == exact:
        return True
    neighbour = math.nextafter(value, math.inf if found > exact else -math.inf)
    if math.isinf(neighbour):
        return True
    # 2 * found against value + neighbour, in whole numbers, for a Decimal sum would be rounded
    top, bottom = found.as_integer_ratio()
    first, second = value.as_integer_ratio(), neighbour.as_integer_ratio()
    middle = first[0] * second[1] + second[0] * first[1]
    return 2 * top * first[1] * second[1] != middle * bottom


def write_date(value: date) -> str:
    """2026-01-31."""
    return f"{value.year:04}-{value.month:02}-{value.day:02}"


def write_timestamp(value: datetime) -> str:
    """2026-01-31 12:00:00.5."""
    text = value.replace(tzinfo=None).isoformat(" ")
    return text.rstrip("0") if value.microsecond else text


def write_timestamptz(value: datetime) -> str:
    """2026-01-31 12:00:00.5+00."""
    return f"{write_timestamp(in_utc(value))}+00"


def write_text(value: str) -> str:
    """`value` itself."""
    return value


WRITERS: Final[dict[SqlType, Callable[[Any], str]]] = {
    SqlType.TEXT: write_text,
    SqlType.BOOLEAN: write_boolean,
    SqlType.INTEGER: str,
    SqlType.NUMERIC: write_numeric,
    SqlType.DOUBLE: write_double,
    SqlType.DATE: write_date,
    SqlType.TIMESTAMP: write_timestamp,
    SqlType.TIMESTAMPTZ: write_timestamptz,
}
