"""Shares of the partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.shares import share_of
from pipeline.topology import STAGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Fleet = list[tuple[str, ...]]  # the stages of each process, the oldest first

_CUTS: Final = (
    (STAGES[:2], STAGES[2:]),
    (STAGES[:1], STAGES[1:3], STAGES[3:]),
    tuple((stage,) for stage in STAGES),
)


@pytest.mark.parametrize(("partitions", "processes"), [(16, 3), (16, 7), (4, 6), (1, 2), (256, 64)])
def test_shares_add_up_and_differ_by_one_at_most(partitions: int, processes: int) -> None:
    ids = [f"p{number}" for number in range(processes)]
    shares = [share_of(id_, {"filter": ids, "apply": ids}, partitions) for id_ in ids]
    assert sum(shares) == max(partitions, processes)
    assert max(shares) - min(shares) <= 1


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    """Processes with all stages and processes with some, cut at the same places, in any order of age."""
    cut = draw(st.sampled_from(_CUTS))
    split = [part for part in cut for _ in range(draw(st.integers(1, 3)))]
    whole = [STAGES] * draw(st.integers(0, 3))
    return draw(st.permutations([*split, *whole]))


def settle(fleet: Fleet, sharers: Mapping[str, Sequence[str]], turns: Sequence[int], partitions: int) -> int:
    """Let processes take what is free, up to their shares, in this order; how many parts are held then."""
    held: dict[tuple[str, int], int] = {}
    for number in [*turns, *range(len(fleet))]:
        mine = {partition for (_, partition), by in held.items() if by == number}
        free = [p for p in range(partitions) if not any((stage, p) in held for stage in fleet[number])]
        share = share_of(str(number), sharers, partitions)
        for partition in free[: max(0, share - len(mine))]:
            held |= {(stage, partition): number for stage in fleet[number]}
    return len(held)


@given(fleets(), st.lists(st.integers(0, 20)), st.integers(1, 16))
def test_no_part_of_a_partition_is_left_over(fleet: Fleet, turns: list[int], partitions: int) -> None:
    sharers = {s: [str(n) for n, stages in enumerate(fleet) if s in stages] for s in STAGES}
    turns = [turn % len(fleet) for turn in turns]
    assert settle(fleet, sharers, turns, partitions) == len(STAGES) * partitions
