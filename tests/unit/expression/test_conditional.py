"""CASE, COALESCE, NULLIF, GREATEST and LEAST."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from stages.expression import SqlType
from tests.unit.expression.evaluation import refusal_of, type_of, value_of


@pytest.mark.parametrize(
    ("text", "row", "expected"),
    [
        ("CASE WHEN b THEN 'yes' ELSE 'no' END", {"b": True}, "yes"),
        ("CASE WHEN b THEN 'yes' ELSE 'no' END", {"b": None}, "no"),
        ("CASE WHEN b THEN 'yes' END", {"b": False}, None),
        ("CASE t WHEN 'a' THEN 1 WHEN 'b' THEN 2 ELSE 3 END", {"t": "b"}, 2),
        ("CASE t WHEN 'a' THEN 1 ELSE 3 END", {"t": None}, 3),
        ("CASE WHEN n = 0 THEN 0 ELSE 10 / n END", {"n": 0}, 0),
        ("CASE n WHEN 1.5 THEN 'x' WHEN 2 THEN 'y' END", {"n": 2}, "y"),
        ("COALESCE(t, u, 'c')", {"t": None, "u": "b"}, "b"),
        ("COALESCE(n, 1 / 0)", {"n": 4}, 4),
        ("NULLIF(t, '')", {"t": ""}, None),
        ("NULLIF(t, '')", {"t": "a"}, "a"),
        ("NULLIF(t, u)", {"t": "a", "u": None}, "a"),
        ("NULLIF(NULL, 1)", {}, None),
        ("GREATEST(n, NULL, 3)", {"n": 2}, 3),
        ("LEAST(t, u)", {"t": "a", "u": "B"}, "B"),
        ("GREATEST(f, 1)", {"f": float("inf")}, float("inf")),
        ("LEAST(n, m)", {}, None),
    ],
)
def test_values(text: str, row: dict[str, Any], expected: object) -> None:
    assert value_of(text, **row) == expected


def test_results_take_the_widest_type() -> None:
    value = value_of("CASE WHEN b THEN n ELSE q END", b=True, n=2)
    assert isinstance(value, Decimal)
    assert type_of("COALESCE(n, f)") is SqlType.DOUBLE
    assert type_of("GREATEST(d, s, z)") is SqlType.TIMESTAMPTZ
    assert value_of("COALESCE(d, s)", d=date(2024, 1, 1)) == datetime.fromisoformat("2024-01-01")
    assert type_of("CASE WHEN b THEN NULL ELSE 'a' END") is SqlType.TEXT


def test_nullif_takes_the_type_it_compared_in_but_for_dates() -> None:
    assert type_of("NULLIF(n, q)") is SqlType.NUMERIC
    assert type_of("NULLIF(d, s)") is SqlType.DATE
    assert value_of("NULLIF(d, s)", d=date(2024, 1, 1), s=datetime.fromisoformat("2024-01-01")) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("COALESCE(t, n)", "COALESCE mixes text and bigint"),
        ("CASE WHEN b THEN 1 ELSE d END", "CASE mixes date and bigint"),
        ("CASE WHEN n THEN 1 END", "boolean is wanted here, not bigint"),
        ("GREATEST(n, 'many')", "bigint is wanted here: the text is no bigint"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    assert refusal_of(text).message == message
