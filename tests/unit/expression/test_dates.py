"""Dates, timestamps, intervals, their parts and time zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from stages.expression import SqlType
from tests.unit.expression.evaluation import refusal_of, state_of, type_of, value_of

MOMENT = datetime(2024, 3, 31, 8, 20, 30, 500_000, tzinfo=UTC)
SHOWN = MOMENT.replace(tzinfo=None)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("d + 1", date(2024, 3, 1)),
        ("1 + d", date(2024, 3, 1)),
        ("d - 60", date(2023, 12, 31)),
        ("d - '2024-01-01'", 59),
        ("d + INTERVAL '1 year'", at("2025-02-28")),
        ("d + INTERVAL '1 month'", at("2024-03-29")),
        ("INTERVAL '1 day' + s", at("2024-04-01T08:20:30.500")),
        ("s - INTERVAL '1 month'", at("2024-02-29T08:20:30.500")),
        ("s - INTERVAL '1' MONTH", at("2024-02-29T08:20:30.500")),
        ("s + '1 hour 30 minutes'::interval", at("2024-03-31T09:50:30.500")),
        ("z + INTERVAL '1 week'", MOMENT + timedelta(days=7)),
    ],
)
def test_steps(text: str, expected: object) -> None:
    assert value_of(text, d=date(2024, 2, 29), s=SHOWN, z=MOMENT) == expected


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("d + 1", {"d": date.max}),
        ("d - 1", {"d": date.min}),
        ("d + INTERVAL '1 day'", {"d": date.max}),
        ("s - INTERVAL '1 year'", {"s": at("0001-06-01")}),
        ("DATE_TRUNC('decade', s)", {"s": at("0005-06-01")}),
        ("s AT TIME ZONE 'America/New_York'", {"s": at("9999-12-31T23:00")}),
    ],
)
def test_what_lies_beyond_the_years_1_to_9999_is_an_error(text: str, row: dict[str, Any]) -> None:
    assert state_of(text, **row) == "22008"


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("year", "2024"),
        ("quarter", "1"),
        ("month", "3"),
        ("week", "13"),
        ("isoyear", "2024"),
        ("day", "31"),
        ("dow", "0"),
        ("isodow", "7"),
        ("doy", "91"),
        ("decade", "202"),
        ("century", "21"),
        ("millennium", "3"),
        ("hour", "8"),
        ("minute", "20"),
        ("second", "30.500000"),
        ("milliseconds", "30500.000"),
        ("microseconds", "30500000"),
        ("epoch", "1711873230.500000"),
    ],
)
def test_extract_and_date_part(part: str, expected: str) -> None:
    for column in ("s", "z"):
        assert str(value_of(f"EXTRACT({part} FROM {column})", s=SHOWN, z=MOMENT)) == expected
        assert value_of(f"DATE_PART('{part}', {column})", s=SHOWN, z=MOMENT) == float(expected)
    assert type_of(f"EXTRACT({part} FROM s)") is SqlType.NUMERIC
    assert type_of(f"DATE_PART('{part}', s)") is SqlType.DOUBLE


def test_parts_of_a_date() -> None:
    assert value_of("EXTRACT(epoch FROM d)", d=date(1970, 1, 2)) == Decimal(86_400)
    assert value_of("EXTRACT(century FROM d)", d=date(2000, 1, 1)) == 20
    assert value_of("DATE_PART('hour', d)", d=date(2000, 1, 1)) == 0.0
    assert refusal_of("EXTRACT(hour FROM d)").message == "a date has no hour"


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("milliseconds", "2024-03-31T08:20:30.500"),
        ("second", "2024-03-31T08:20:30"),
        ("minute", "2024-03-31T08:20"),
        ("hour", "2024-03-31T08:00"),
        ("day", "2024-03-31"),
        ("week", "2024-03-25"),
        ("month", "2024-03-01"),
        ("quarter", "2024-01-01"),
        ("year", "2024-01-01"),
        ("decade", "2020-01-01"),
        ("century", "2001-01-01"),
        ("millennium", "2001-01-01"),
    ],
)
def test_date_trunc(part: str, expected: str) -> None:
    assert value_of(f"DATE_TRUNC('{part}', s)", s=SHOWN) == at(expected)
    assert value_of(f"DATE_TRUNC('{part.upper()}', z)", z=MOMENT) == at(expected).replace(tzinfo=UTC)


def test_date_trunc_of_a_date_has_a_time_zone() -> None:
    assert type_of("DATE_TRUNC('month', d)") is SqlType.TIMESTAMPTZ


@pytest.mark.parametrize(
    ("shown", "zone", "expected"),
    [
        ("2024-01-15T12:00", "Europe/Berlin", "2024-01-15T11:00"),
        ("2024-07-15T12:00", "Europe/Berlin", "2024-07-15T10:00"),
        ("2024-03-31T02:30", "Europe/Berlin", "2024-03-31T01:30"),  # a time that the clock skips
        ("2024-10-27T02:30", "Europe/Berlin", "2024-10-27T01:30"),  # a time that it shows twice
        ("2024-07-15T12:00", "UTC", "2024-07-15T12:00"),
    ],
)
def test_at_time_zone_finds_the_moment(shown: str, zone: str, expected: str) -> None:
    assert value_of(f"s AT TIME ZONE '{zone}'", s=at(shown)) == at(expected).replace(tzinfo=UTC)


def test_at_time_zone_shows_the_clock() -> None:
    assert value_of("z AT TIME ZONE 'Asia/Kolkata'", z=MOMENT) == at("2024-03-31T13:50:30.500")
    assert type_of("z AT TIME ZONE 'UTC'") is SqlType.TIMESTAMP
    assert value_of("s AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin'", s=SHOWN) == at(
        "2024-03-31T10:20:30.500"
    )


def test_a_moment_in_any_offset_is_read_in_utc() -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=-9)))
    assert value_of("z::text", z=elsewhere) == "2024-03-31 08:20:30.5+00"
    assert value_of("z::date", z=elsewhere) == date(2024, 3, 31)
    assert value_of("EXTRACT(hour FROM z)", z=elsewhere) == 8
    assert value_of("z = '2024-03-31 08:20:30.5'", z=elsewhere) is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("s - s", "timestamp - timestamp is not defined"),
        ("s + 1", "timestamp + bigint is not defined"),
        ("d + n", "days are added as a number written out"),
        ("d * 2", "date * bigint is not defined"),
        ("n + INTERVAL '1 day'", "an interval moves a date or timestamp, not bigint"),
        ("INTERVAL '1 day'", "an interval can only be added to or taken from a date or timestamp"),
        ("s + INTERVAL '1.5 days'", "an interval is whole numbers with units: INTERVAL '1 day'"),
        ("s + INTERVAL t", "an interval is written as a literal: INTERVAL '1 day'"),
        ("DATE_TRUNC('fortnight', s)", "date_trunc names a part of a date first"),
        ("DATE_TRUNC(t, s)", "date_trunc names a part of a date first"),
        ("EXTRACT(julian FROM s)", "extract names a part of a date first"),
        ("EXTRACT(year FROM t)", "extract takes a date or timestamp, not text"),
        ("s AT TIME ZONE 'EST'", "EST is no time zone of the rule language"),
        ("s AT TIME ZONE 'America/Argentina'", "America/Argentina is no time zone of the rule language"),
        ("s AT TIME ZONE 'Mars/Olympus'", "Mars/Olympus is no time zone of the rule language"),
        ("s AT TIME ZONE '../etc'", "../etc is no time zone of the rule language"),
        ("s AT TIME ZONE t", "a time zone is written out: AT TIME ZONE 'Europe/Berlin'"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    assert refusal_of(text).message == message


def test_a_moment_before_the_year_1_in_utc_is_an_error() -> None:
    early = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=9)))
    for text in (
        "z::text",
        "z::date",
        "EXTRACT(year FROM z)",
        "DATE_TRUNC('day', z)",
        "z + INTERVAL '1 day'",
    ):
        assert state_of(text, z=early) == "22008"
