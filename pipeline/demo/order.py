"""The judge of one target record: did the writes it took follow, in order, from what its source record was?

Writes are coalesced, so the target need not take every state; but it may take none twice, none that never
was, and none that is older than what it has taken already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from pipeline.proof.verdict import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

State: TypeAlias = Mapping[str, Any] | None
"""What a record holds in the columns that a rule writes; None where it is not there."""

Write: TypeAlias = Mapping[str, Any] | None
"""The columns that a write changed, with their new values; empty: it changed nothing; None: a delete."""


def judge(states: Sequence[State], writes: Sequence[Write]) -> list[tuple[Kind, int]]:
    """The writes that do not follow from `states` (oldest first), each with its place and what is wrong.

    Each write is taken for the earliest state after the one before that has what it wrote: if any way to
    match them all in order exists, this one does.
    """
    faults: list[tuple[Kind, int]] = []
    taken: set[int] = set()
    position = -1
    for place, write in enumerate(writes):
        fitting = [number for number, state in enumerate(states) if _fits(write, state)]
        later = next((number for number in fitting if number > position), None)
        if write == {}:
            faults.append((Kind.REPEATED, place))
        elif later is not None:
            position = later
            taken.add(later)
        elif not fitting:
            faults.append((Kind.WRONG, place))
        else:
            faults.append((Kind.REPEATED if taken.intersection(fitting) else Kind.OUT_OF_ORDER, place))
    return faults


def _fits(write: Write, state: State) -> bool:
    if write is None or state is None:
        return write is state
    return all(column in state and state[column] == value for column, value in write.items())
