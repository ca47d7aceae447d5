"""The judge of one key: what may be seen of it, and what may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.proof.verdict import Kind
from pipeline.prove.record import Effect, Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.prove.journal import State

# Version, two stamps, the hash of a text. Each version changes one of the three; 4 is a delete.
V1: State = (1, 10, 10, 10)
V2: State = (2, 20, 10, 10)
V3: State = (3, 20, 30, 10)
V5: State = (5, 50, 50, 50)
V6: State = (6, 50, 50, 60)
STATES: Sequence[State] = (V1, V2, V3, None, V5, V6)


def record(states: Sequence[State] = STATES) -> Record:
    made = Record()
    for version, state in enumerate(states, 1):
        made.commit(version, state)
    return made


def kinds(seen: Sequence[State], states: Sequence[State] = STATES) -> list[Kind]:
    judged = record(states)
    for state in seen:
        judged.effect(Effect(state, len(states)))
    return [kind for kind, _ in judged.judge()]


@pytest.mark.parametrize(
    "seen",
    [
        [V1, V2, V3, None, V5, V6],
        [V6],  # all of it coalesced
        [V2, None, V6],
        [V3, V5],  # a delete and an insert in one transaction
        [None],  # made and gone in one transaction
        [],
    ],
)
def test_what_follows_is_no_fault(seen: list[State]) -> None:
    assert kinds(seen) == []


@pytest.mark.parametrize(
    ("seen", "fault"),
    [
        ([V1, V1], Kind.REPEATED),
        ([V1, V2, V3, V2], Kind.REPEATED),
        ([V1, V3, V2], Kind.OUT_OF_ORDER),
        ([V1, None, V3], Kind.OUT_OF_ORDER),
        ([V1, None, V5, None], Kind.REPEATED),  # deleted a second time
        ([V5, None], Kind.WRONG),  # a delete that never was
        ([V1, (3, 10, 30, 10)], Kind.LOST),  # version 2 left no trace
        ([V1, (3, 20, 31, 10)], Kind.WRONG),
        ([(4, 20, 30, 10)], Kind.WRONG),  # version 4 was a delete
        ([V1, (7, 50, 50, 60)], Kind.WRONG),  # never committed
    ],
)
def test_what_does_not_follow_is_named(seen: list[State], fault: Kind) -> None:
    assert kinds(seen) == [fault]


def test_one_fault_does_not_hide_what_comes_after_it() -> None:
    assert kinds([V1, V3, V2, V5, V5]) == [Kind.OUT_OF_ORDER, Kind.REPEATED]


def test_nothing_takes_effect_before_it_is_committed() -> None:
    judged = record()
    judged.effect(Effect(V3, bound=2))
    assert [kind for kind, _ in judged.judge()] == [Kind.WRONG]


def test_a_delete_is_not_taken_for_one_that_was_committed_later() -> None:
    judged = record()
    judged.effect(Effect(V1, bound=3))
    judged.effect(Effect(None, bound=3))  # version 4 is the first delete
    assert [kind for kind, _ in judged.judge()] == [Kind.WRONG]


def test_an_effect_waits_until_its_history_is_known() -> None:
    """The witness may be read before the writer has noted its commit, and writers note in any order."""
    judged = Record()
    judged.effect(Effect(V2, bound=2))
    judged.commit(2, V2)
    assert list(judged.judge()) == []
    assert list(judged.end(V2)) != []  # it still waits
    judged.commit(1, V1)
    assert list(judged.judge()) == []
    assert list(judged.end(V2)) == []


@pytest.mark.parametrize(
    ("states", "target", "fault"),
    [
        ([V1, V2], V1, Kind.LOST),
        ([V1, V2], None, Kind.LOST),
        ([V1, V2, V3, None], V3, Kind.LOST),
        ([V1, V2], (2, 21, 10, 10), Kind.WRONG),
    ],
)
def test_the_end_is_compared(states: list[State], target: State, fault: Kind) -> None:
    assert [kind for kind, _ in record(states).end(target)] == [fault]


def test_a_good_end_is_no_fault() -> None:
    assert list(record().end(V6)) == []
    assert list(record([V1, None]).end(None)) == []


def test_what_is_long_past_is_forgotten() -> None:
    judged = Record()
    for version in range(1, 10_000):
        judged.commit(version, (version, version, 0, 0))
        judged.effect(Effect((version, version, 0, 0), version))
        assert list(judged.judge()) == []
    assert len(judged._states) < 100
