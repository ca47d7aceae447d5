"""What a rule owes its target, change by change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from pipeline.demo.history import Seen, follow
from stages.rules.model import Rule, SetColumns, TableName

if TYPE_CHECKING:
    from pipeline.demo.order import State

RULE = Rule(1, "r", 1, TableName("a", "a", "t"), TableName("b", "b", "t"), {"k": "k"}, {})
A: State = {"name": "a"}
B: State = {"name": "b"}
CLOSED: State = {"closed": True}
KEY = '{"k": 1}'


def entered(change: int, image: State) -> Seen:
    return Seen(change, KEY, False, True, image, None)


def left(change: int, settled: State = None) -> Seen:
    return Seen(change, KEY, True, False, None, settled)


def deleted(change: int, settled: State = None) -> Seen:
    return Seen(change, KEY, True, None, None, settled)


def test_a_record_that_enters_and_changes_is_written_whole() -> None:
    history = follow(RULE, [entered(1, A), Seen(2, KEY, True, True, B, None)])
    assert history.states == {KEY: [A, B]}
    assert history.changes == {1: KEY, 2: KEY}


@pytest.mark.parametrize(
    ("policy", "last", "is_written"),
    [
        ("ignore", A, False),
        ("delete", None, True),
        (SetColumns({"closed": "true"}), {"name": "a", "closed": True}, True),
    ],
)
def test_what_becomes_of_a_deleted_record(policy: Any, last: State, is_written: bool) -> None:
    history = follow(replace(RULE, on_delete=policy), [entered(1, A), deleted(2, CLOSED)])
    assert history.last(KEY) == last
    assert (2 in history.changes) == is_written


@pytest.mark.parametrize(
    ("policy", "last", "is_written"),
    [
        ("leave", A, False),
        ("delete", None, True),
        (SetColumns({"closed": "true"}), {"name": "a", "closed": True}, True),
    ],
)
def test_what_becomes_of_one_that_leaves(policy: Any, last: State, is_written: bool) -> None:
    history = follow(replace(RULE, on_unmatched=policy), [entered(1, A), left(2, CLOSED)])
    assert history.last(KEY) == last
    assert (2 in history.changes) == is_written


def test_columns_are_not_set_on_a_row_that_is_gone() -> None:
    rule = replace(RULE, on_unmatched="delete", on_delete=SetColumns({"closed": "true"}))
    assert follow(rule, [entered(1, A), left(2), deleted(3, CLOSED)]).last(KEY) is None
