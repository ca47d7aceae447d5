"""=, <>, <, …, IS DISTINCT FROM, IN and BETWEEN, by type."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from stages.expression import compile_expression
from tests.unit.expression.evaluation import COLUMNS, refusal_of, type_of, value_of

NAN = float("nan")


@pytest.mark.parametrize(
    ("text", "row", "expected"),
    [
        ("t = 'a'", {"t": "a"}, True),
        ("t = 'a'", {"t": "A"}, False),
        ("t = 'a'", {"t": None}, None),
        ("t <> 'a'", {"t": None}, None),
        ("'a' = t", {"t": "a"}, True),
        ("'B' < 'a'", {}, True),
        ("t < 'é'", {"t": "z"}, True),
        ("5 > n", {"n": 4}, True),
        ("n >= 5", {"n": 5}, True),
        ("q = 1", {"q": Decimal("1.00")}, True),
        ("q > n", {"q": Decimal("1.01"), "n": 1}, True),
        ("f = 0.1", {"f": 0.1}, True),
        ("n = 9007199254740992.0::double precision", {"n": 9007199254740993}, True),
        ("d = '2024-02-29'", {"d": date(2024, 2, 29)}, True),
        ("d < s", {"d": date(2024, 2, 29), "s": datetime.fromisoformat("2024-02-29T00:00:01")}, True),
        ("s = z", {"s": datetime.fromisoformat("2024-02-29"), "z": datetime(2024, 2, 29, tzinfo=UTC)}, True),
        ("b < TRUE", {"b": False}, True),
    ],
)
def test_comparisons(text: str, row: dict[str, Any], expected: bool | None) -> None:
    assert value_of(text, **row) is expected


@pytest.mark.parametrize(("column", "nan", "one"), [("f", NAN, 1.0), ("q", Decimal("NaN"), Decimal(1))])
def test_nan_equals_itself_and_is_above_every_number(column: str, nan: object, one: object) -> None:
    assert value_of(f"{column} = {column}", **{column: nan}) is True
    assert value_of(f"{column} > 1", **{column: nan}) is True
    assert value_of(f"{column} >= 1", **{column: nan}) is True
    assert value_of(f"{column} < 1", **{column: nan}) is False
    assert value_of(f"{column} <= 1", **{column: nan}) is False
    assert value_of(f"{column} = 1", **{column: nan}) is False
    assert value_of(f"{column} <> 1", **{column: nan}) is True
    for sign, expected in {"<": True, "<=": True, "=": False, "<>": True, ">": False, ">=": False}.items():
        assert value_of(f"{column} {sign} 'NaN'", **{column: one}) is expected


@pytest.mark.parametrize(
    ("left", "right", "distinct"),
    [("a", "a", False), ("a", "b", True), ("a", None, True), (None, None, False)],
)
def test_distinct_from_treats_null_as_a_value(left: str | None, right: str | None, distinct: bool) -> None:
    assert value_of("t IS DISTINCT FROM u", t=left, u=right) is distinct
    assert value_of("t IS NOT DISTINCT FROM u", t=left, u=right) is not distinct


@pytest.mark.parametrize(
    ("text", "row", "expected"),
    [
        ("t IN ('a', 'b')", {"t": "b"}, True),
        ("t IN ('a', 'b')", {"t": "c"}, False),
        ("t IN ('a', 'b')", {"t": None}, None),
        ("t IN ('a', NULL)", {"t": "a"}, True),
        ("t IN ('a', NULL)", {"t": "c"}, None),
        ("t NOT IN ('a', NULL)", {"t": "c"}, None),
        ("t in ['a', u]", {"t": "c", "u": "c"}, True),
        ("t IN ('a')", {"t": "a"}, True),
        ("n IN (1, 2.5, 3)", {"n": 3}, True),
        ("q IN (1, 2)", {"q": Decimal("2.00")}, True),
        ("f IN (1, 'NaN')", {"f": NAN}, True),
        ("n IN (1, m + 1)", {"n": 3, "m": 2}, True),
        ("upper(t) IN ('A', 'B')", {"t": "b"}, True),
    ],
)
def test_in(text: str, row: dict[str, Any], expected: bool | None) -> None:
    assert value_of(text, **row) is expected


@pytest.mark.parametrize(("value", "expected"), [(0, False), (1, True), (3, True), (4, False), (None, None)])
def test_between_includes_both_ends(value: int | None, expected: bool | None) -> None:
    assert value_of("n BETWEEN 1 AND 3", n=value) is expected


def test_between_is_false_when_one_end_is_enough_to_know() -> None:
    assert value_of("n BETWEEN m AND 3", n=4, m=None) is False
    assert value_of("n BETWEEN m AND 3", n=2, m=None) is None


@pytest.mark.parametrize(
    "level",
    [
        "NULLIF({}, 7)",
        "CASE {} WHEN 1 THEN 1 WHEN 2 THEN 2 ELSE n END",
        "CASE WHEN {} BETWEEN 1 AND n + 9 THEN n END",
        "CASE WHEN {} IN (1, m, n + 1, n) THEN n END",
    ],
)
def test_a_value_compared_often_is_computed_once(level: str) -> None:
    """Else the innermost of 16 levels would be computed millions of times."""
    nested = "n"
    for _ in range(16):
        nested = level.format(nested)
    counting = _Counting(n=5, m=None)
    assert compile_expression(nested, COLUMNS).evaluate(counting) == 5
    assert counting.reads < 1_000


class _Counting(dict[str, Any]):
    """A row that counts how often it is read."""

    reads = 0

    def __getitem__(self, name: str) -> Any:
        self.reads += 1
        return super().__getitem__(name)


def test_types_that_do_not_compare_are_refused() -> None:
    error = refusal_of("b AND t = n")
    assert error.message == "text cannot be compared with bigint"
    assert (error.line, error.column) == (1, 7)
    assert error.suggestion is not None


def test_a_literal_of_the_wrong_kind_is_refused_at_its_place() -> None:
    error = refusal_of("b AND\n n = 'many'")
    assert (error.line, error.column) == (2, 6)
    assert error.message == "bigint is wanted here: the text is no bigint"


def test_two_comparisons_in_a_row_need_parentheses() -> None:
    assert "parentheses" in refusal_of("n = m = b").message
    assert type_of("(n = m) = b").value == "boolean"
