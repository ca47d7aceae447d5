"""The judge of one record: which writes follow, in order, from what its source was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.demo.order import judge
from pipeline.proof.verdict import Kind

if TYPE_CHECKING:
    from pipeline.demo.order import State, Write

A: State = {"name": "a", "phone": 1}
B: State = {"name": "b", "phone": 1}
C: State = {"name": "c", "phone": 2}


@pytest.mark.parametrize(
    "writes",
    [
        [A, {"name": "b"}, {"name": "c", "phone": 2}],
        [A, {"name": "c", "phone": 2}],  # coalesced
        [C],
        [],
    ],
)
def test_what_follows_is_no_fault(writes: list[Write]) -> None:
    assert judge([A, B, C], writes) == []


def test_a_state_may_come_again() -> None:
    assert judge([A, B, A, None, A], [A, {"name": "b"}, {"name": "a"}, None, A]) == []


@pytest.mark.parametrize(
    ("writes", "faults"),
    [
        ([A, {"name": "c", "phone": 2}, {"name": "b"}], [(Kind.OUT_OF_ORDER, 2)]),  # b was passed over
        ([{"name": "b"}, A], [(Kind.OUT_OF_ORDER, 1)]),
        ([A, A], [(Kind.REPEATED, 1)]),
        ([A, {"name": "b"}, {"name": "a"}], [(Kind.REPEATED, 2)]),
        ([A, {}], [(Kind.REPEATED, 1)]),  # a write that changed nothing
        ([A, {"name": "x"}], [(Kind.WRONG, 1)]),
        ([A, {"name": "b", "phone": 2}], [(Kind.WRONG, 1)]),  # each was, but never together
        ([A, None], [(Kind.WRONG, 1)]),
    ],
)
def test_what_does_not_follow_is_named(writes: list[Write], faults: list[tuple[Kind, int]]) -> None:
    assert judge([A, B, C], writes) == faults


def test_a_delete_done_twice_is_repeated() -> None:
    assert judge([A, None], [A, None, A, None]) == [(Kind.REPEATED, 2), (Kind.REPEATED, 3)]
