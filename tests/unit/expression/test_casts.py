"""CAST and ::, and how texts are read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from stages.expression import SqlType
from tests.unit.expression.evaluation import refusal_of, state_of, type_of, value_of


@pytest.mark.parametrize(
    ("text", "row", "expected"),
    [
        ("q::integer", {"q": Decimal("2.5")}, 3),
        ("q::bigint", {"q": Decimal("-2.5")}, -3),
        ("f::integer", {"f": 2.5}, 2),
        ("f::numeric", {"f": 0.1 + 0.2}, Decimal("0.3")),
        ("q::double precision", {"q": Decimal("0.1")}, 0.1),
        ("n::text", {"n": 5}, "5"),
        ("n::varchar(2)", {"n": 512}, "51"),
        ("t::varchar(2)", {"t": "日本語"}, "日本"),
        ("b::integer", {"b": True}, 1),
        ("b::text", {"b": False}, "false"),
        ("s::date", {"s": datetime.fromisoformat("2024-02-29T23:59:59")}, date(2024, 2, 29)),
        ("d::timestamptz", {"d": date(2024, 2, 29)}, datetime(2024, 2, 29, tzinfo=UTC)),
        ("z::timestamp", {"z": datetime(2024, 2, 29, tzinfo=UTC)}, datetime.fromisoformat("2024-02-29")),
        ("NULL::numeric", {}, None),
        ("q::numeric(5, 1)", {"q": Decimal("1.25")}, Decimal("1.3")),
        ("int '5'", {}, 5),
    ],
)
def test_conversions(text: str, row: dict[str, Any], expected: object) -> None:
    value = value_of(text, **row)
    assert value == expected
    assert type(value) is type(expected)


def test_a_scale_is_written_out() -> None:
    assert str(value_of("n::numeric(8, 2)", n=5)) == "5.00"
    assert str(value_of("t::numeric", t="1e3")) == "1000"
    assert str(value_of("t::numeric", t=" -.50 ")) == "-0.50"


@pytest.mark.parametrize(
    ("type_", "text", "expected"),
    [
        ("bigint", " +007 ", 7),
        ("smallint", "-32768", -32768),
        ("double precision", "1e-320", 1e-320),
        ("double precision", "-INF", float("-inf")),
        ("boolean", " TR ", True),
        ("boolean", "of", False),
        ("boolean", "0", False),
        ("date", "2024-2-9", date(2024, 2, 9)),
        ("date", "2024-02-09 23:00", date(2024, 2, 9)),
        ("timestamp", "2024-02-09T24:00:00", datetime.fromisoformat("2024-02-10")),
        ("timestamp", "2024-02-09 10:00:00.1234567", datetime.fromisoformat("2024-02-09T10:00:00.123457")),
        ("timestamp", "2024-02-09 10:00:00+05", datetime.fromisoformat("2024-02-09T10:00:00")),
        ("timestamptz", "2024-02-09T10:00:00.000+0000", datetime(2024, 2, 9, 10, tzinfo=UTC)),
        ("timestamptz", "2024-02-09 10:00:00-05:30", datetime(2024, 2, 9, 15, 30, tzinfo=UTC)),
        ("timestamptz", "2024-02-09", datetime(2024, 2, 9, tzinfo=UTC)),
    ],
)
def test_texts_are_read(type_: str, text: str, expected: object) -> None:
    assert value_of(f"t::{type_}", t=text) == expected
    assert value_of(f"'{text}'::{type_}") == expected


@pytest.mark.parametrize(
    ("type_", "text", "state"),
    [
        ("integer", "", "22P02"),
        ("integer", "1.0", "22P02"),
        ("integer", "1_000", "22P02"),
        ("integer", "٣", "22P02"),
        ("integer", "2147483648", "22003"),
        ("smallint", "32768", "22003"),
        ("bigint", "9" * 1_900, "22003"),
        ("numeric", "1,5", "22P02"),
        ("numeric", "--1", "22P02"),
        ("numeric", "1e999999", "22003"),
        ("double precision", "1e400", "22003"),
        ("double precision", "1e-400", "22003"),
        ("boolean", "o", "22P02"),
        ("boolean", "2", "22P02"),
        ("date", "yesterday", "22007"),
        ("date", "2023-02-29", "22008"),
        ("date", "12024-01-01", "22008"),
        ("timestamp", "2024-02-09 25:00", "22008"),
        ("timestamptz", "2024-02-09 10:00+16", "22009"),
    ],
)
def test_texts_that_spell_no_value(type_: str, text: str, state: str) -> None:
    assert state_of(f"t::{type_}", t=text) == state
    assert refusal_of(f"'{text}'::{type_}").message.startswith(f"{type_} is wanted here: ")


@pytest.mark.parametrize(
    ("text", "row", "state"),
    [
        ("n::integer", {"n": 2**31}, "22003"),
        ("q::integer", {"q": Decimal("NaN")}, "0A000"),
        ("q::bigint", {"q": Decimal("1e50000")}, "22003"),
        ("f::bigint", {"f": float("nan")}, "22003"),
        ("f::bigint", {"f": 2.0**63}, "22003"),
        ("q::numeric(3, 1)", {"q": Decimal("99.95")}, "22003"),
        ("q::numeric(3, 1)", {"q": Decimal("Infinity")}, "22003"),
        ("q::double precision", {"q": Decimal("1e400")}, "22003"),
    ],
)
def test_values_that_do_not_fit(text: str, row: dict[str, Any], state: str) -> None:
    assert state_of(text, **row) == state


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n::boolean", "bigint cannot be cast to boolean"),
        ("b::bigint", "boolean cannot be cast to bigint"),
        ("d::integer", "date cannot be cast to integer"),
        ("q::date", "numeric cannot be cast to date"),
        ("t::json", "a cast to this type is not part of the rule language"),
        ("t::char(3)", "a cast to this type is not part of the rule language"),
        ("t::text[]", "a cast to this type is not part of the rule language"),
        ("s::timestamp(3)", "the type timestamp takes no modifier in the rule language"),
        ("q::numeric(1001)", "the modifiers of numeric are numbers between 1 and 1000"),
        ("numeric(t)", "numeric is a type, not a function"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    assert refusal_of(text).message == message


def test_types() -> None:
    assert type_of("t::smallint") is SqlType.INTEGER
    assert type_of("t::varchar(3)") is SqlType.TEXT
