"""date_trunc, EXTRACT, date_part and AT TIME ZONE in expressions."""

from __future__ import annotations

from stages.expression.compiler.coercion import coerce
from stages.expression.compiler.operand import Operand, applied
from stages.expression.errors import Refusal
from stages.expression.types import DATES, SqlType
from stages.expression.values import date_parts, date_trunc, zones


def _dated(operand: Operand, name: str) -> SqlType:
    if operand.type is None or operand.type not in DATES:
        hint = "write CAST(… AS timestamp)"
        raise Refusal(operand.at, f"{name} takes a date or timestamp, not {operand.described}", hint)
    return operand.type


def truncation(part: str, operand: Operand, at: int) -> Operand:
    """date_trunc(part, operand): a date becomes a timestamptz first, as in Postgres."""
    type_ = _dated(operand, "date_trunc")
    if type_ is SqlType.DATE:
        operand, type_ = coerce(operand, SqlType.TIMESTAMPTZ), SqlType.TIMESTAMPTZ
    return applied(type_, date_trunc.truncate(part), at, operand)


def extraction(part: str, operand: Operand, at: int) -> Operand:
    """EXTRACT(part FROM operand), a numeric."""
    type_ = _dated(operand, "extract")
    if type_ is not SqlType.DATE:
        return applied(SqlType.NUMERIC, date_parts.extract_from_timestamp(part), at, operand)
    read = date_parts.extract_from_date(part)
    if read is None:
        raise Refusal(at, f"a date has no {part}", "write CAST(… AS timestamp)")
    return applied(SqlType.NUMERIC, read, at, operand)


def numbered_part(part: str, operand: Operand, at: int) -> Operand:
    """date_part(part, operand), a double."""
    if _dated(operand, "date_part") is SqlType.DATE:
        operand = coerce(operand, SqlType.TIMESTAMP)
    return applied(SqlType.DOUBLE, date_parts.date_part(part), at, operand)


def at_time_zone(operand: Operand, name: str, at: int) -> Operand:
    """operand AT TIME ZONE name: from a clock's time to the moment, or from the moment to a clock's time."""
    type_ = _dated(operand, "AT TIME ZONE")
    place = zones.zone(name, at)
    if type_ is SqlType.TIMESTAMP:
        return applied(SqlType.TIMESTAMPTZ, zones.moment_in(place), at, operand)
    moment = coerce(operand, SqlType.TIMESTAMPTZ)
    return applied(SqlType.TIMESTAMP, zones.clock_in(place), at, moment)
