"""Which changes a rule wants, and what each is to it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stages.change import Change, Operation
from stages.filter import filter_changes, read_change, read_passage
from stages.passage import Kind, Passage, decode, encode
from stages.reject import Cause
from tests.unit.stages.ruled import Row, compiled, matched, passage, row


def kind(given: Passage, **options: Any) -> Kind | None:
    """What the change is to the rule; None where it does not want it."""
    found = matched(compiled(**options), given)
    if found is None:
        return None
    (transition,) = found.transitions
    return transition.kind


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, True, Kind.ENTER),
        (None, False, None),
        (None, None, None),
        (False, True, Kind.ENTER),
        ("null", True, Kind.ENTER),
        (True, True, Kind.INSIDE),
        (True, False, Kind.LEAVE),
        (True, "null", Kind.LEAVE),
        (False, "null", None),
        (True, None, Kind.DELETE),
        ("null", None, None),
    ],
)
def test_transitions(before: Any, after: Any, expected: Kind | None) -> None:
    """`None` is no row, "null" a condition that is NULL, which counts as not met."""
    sides: list[Row | None] = [
        None if met is None else row(active=None if met == "null" else met) for met in (before, after)
    ]
    if sides == [None, None]:
        sides = [None, row(active=None)]
    assert kind(passage(*sides), when="active") is expected


def test_without_a_condition_every_record_is_inside() -> None:
    assert kind(passage(row(active=None), row(name="Bea", active=None))) is Kind.INSIDE


@pytest.mark.parametrize("wanted", list(Operation)[:3])
def test_operations_that_a_rule_heeds(wanted: Operation) -> None:
    sides: list[tuple[Row | None, Row | None]] = [(None, row()), (row(), row(name="B")), (row(), None)]
    given = [passage(*pair) for pair in sides]
    kept = filter_changes(given, compiled(on=(wanted,)))
    assert [found.change.operation for found in kept if found and found.change] == [wanted]


def test_origins() -> None:
    rules = {"origins": ("salesforce",)}
    assert kind(passage(None, row(), origin="salesforce"), **rules) is Kind.ENTER
    assert kind(passage(None, row()), **rules) is None


@pytest.mark.parametrize(("path", "wanted"), [("", True), ("apac", True), ("us", False), ("us,apac", False)])
def test_a_change_never_goes_back_to_where_it_came_through(path: str, wanted: bool) -> None:
    assert (kind(passage(None, row(), path=path)) is not None) == wanted


def test_other_tables_truncates_and_switched_off_rules_are_left_out() -> None:
    change = Change(1, "emea", "account", Operation.TRUNCATE, "application", "")
    other = Change(1, "emea", "contact", Operation.INSERT, "application", "")
    assert filter_changes([Passage(1, change), Passage(1, other)], compiled()) == [None, None]
    assert filter_changes([passage(None, row())], compiled(enabled=False)) == [None]


def test_a_condition_that_fails_is_a_reject() -> None:
    found = matched(compiled(when="1 / amount > 0"), passage(None, row(amount=0)))
    assert found is not None
    (fault,) = found.rejects
    assert (fault.cause, fault.rule, fault.rule_version, fault.sqlstate) == (
        Cause.EXPRESSION,
        "r",
        2,
        "22012",
    )
    assert found.transitions == ()


@pytest.mark.parametrize(
    ("after", "cause"), [({"k": "a"}, Cause.SCHEMA), (row(name=5), Cause.SCHEMA), ([], Cause.UNREADABLE)]
)
def test_a_row_that_does_not_fit_is_a_reject(after: Any, cause: Cause) -> None:
    found = matched(compiled(when="name = 'Ann'"), passage(None, after))
    assert found is not None
    assert [fault.cause for fault in found.rejects] == [cause]


def test_what_cannot_be_read_goes_on_to_become_a_letter() -> None:
    for read in (read_change, read_passage):
        found = read(b"\xff\x00", "partition 3", 1)
        (fault,) = found.rejects
        assert (fault.cause, fault.table, fault.payload) == (Cause.UNREADABLE, "partition 3", r"\xff\x00")
        assert matched(compiled(), found) == found


def test_a_passage_survives_the_way_between_two_processes() -> None:
    found = matched(compiled(when="active"), passage(None, row(amount=1)))
    assert found is not None
    again = decode(encode(found))
    assert again == msgspec.structs.replace(found, rows=None)
