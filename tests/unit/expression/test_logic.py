"""AND, OR, NOT and IS, in three-valued logic."""

from __future__ import annotations

import itertools

import pytest

from tests.unit.expression.evaluation import refusal_of, state_of, value_of

TRUTHS = (True, False, None)
PAIRS = list(itertools.product(TRUTHS, repeat=2))


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_and_is_false_if_one_is_and_null_if_one_is_unknown(left: bool | None, right: bool | None) -> None:
    expected = False if False in (left, right) else None if None in (left, right) else True
    assert value_of("b AND c", b=left, c=right) is expected
    assert value_of("b && c && TRUE && b", b=left, c=right) is expected


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_or_is_true_if_one_is_and_null_if_one_is_unknown(left: bool | None, right: bool | None) -> None:
    expected = True if True in (left, right) else None if None in (left, right) else False
    assert value_of("b OR c", b=left, c=right) is expected
    assert value_of("b OR c OR FALSE OR b", b=left, c=right) is expected
    assert value_of("b OR c OR FALSE", b=left, c=right) is expected


@pytest.mark.parametrize(("value", "expected"), [(True, False), (False, True), (None, None)])
def test_not(value: bool | None, expected: bool | None) -> None:
    assert value_of("NOT b", b=value) is expected
    assert value_of("!b", b=value) is expected


@pytest.mark.parametrize(
    ("predicate", "holds_for"),
    [
        ("IS TRUE", {True}),
        ("IS NOT TRUE", {False, None}),
        ("IS FALSE", {False}),
        ("IS NOT FALSE", {True, None}),
        ("IS NULL", {None}),
        ("IS UNKNOWN", {None}),
        ("IS NOT UNKNOWN", {True, False}),
        ("ISNULL", {None}),
        ("NOTNULL", {True, False}),
    ],
)
def test_is_never_gives_null(predicate: str, holds_for: set[bool | None]) -> None:
    for value in TRUTHS:
        assert value_of(f"b {predicate}", b=value) is (value in holds_for)


def test_the_operand_that_decides_spares_the_rest() -> None:
    assert value_of("n = 1 AND 1 / n > 0", n=0) is False
    assert value_of("n = 0 OR 1 / n > 0", n=0) is True
    assert state_of("n = 0 AND 1 / n > 0", n=0) == "22012"


def test_a_literal_is_read_as_a_truth_value() -> None:
    assert value_of("b AND 'yes'", b=True) is True
    assert "boolean is wanted here" in refusal_of("b AND 'perhaps'").message


def test_a_number_is_no_condition() -> None:
    error = refusal_of("b AND n")
    assert error.message == "boolean is wanted here, not bigint"
    assert error.column == 7


def test_not_beside_a_tighter_operator_needs_parentheses() -> None:
    assert "NOT needs parentheses" in refusal_of("NOT b IS NULL || 'x' = t").message
    assert value_of("(NOT b) || 'x'", b=True) == "falsex"
