"""What the apply transaction asks of the target database before it plans: one step for each kind of need.

A step reads, in a few queries for a whole batch, what it has to know, and edits the passages by it. The
reading is the adapter's (`pipeline/postgres/<feature>.py`), the editing is pure (`stages/<feature>.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stages.apply import Plan
    from stages.need import Need
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules


class Edited(NamedTuple):
    """The passages as they are to be planned, and what is to be written beside the plan."""

    passages: Sequence[Passage]
    remember: Callable[[Plan], None]


class Knowledge(Protocol):
    """One step, on the connection of the transaction."""

    need: Need

    def edit(self, passages: Sequence[Passage], rules: CompiledRules) -> Edited:
        """Read what the batch has to know, after the fence and in its transaction. Raises psycopg.Error."""
        ...


def nothing_to_remember(_: Plan) -> None:
    """What a step says that has nothing to write."""


class Steps:
    """The steps in their order: what an earlier one takes out of a batch, a later one does not ask about."""

    def __init__(self, steps: Sequence[Knowledge] = ()) -> None:
        self._steps = steps

    def of(self, rules: CompiledRules) -> Sequence[Knowledge]:
        """The steps that this rule set needs; mostly none."""
        return [step for step in self._steps if step.need in rules.needs] if rules.needs else ()


def edit(steps: Sequence[Knowledge], passages: Sequence[Passage], rules: CompiledRules) -> Edited:
    """Take the steps one after the other."""
    memories: list[Callable[[Plan], None]] = []
    for step in steps:
        edited = step.edit(passages, rules)
        passages = edited.passages
        memories.append(edited.remember)

    def remember(plan: Plan) -> None:
        for memory in memories:
            memory(plan)

    return Edited(passages, remember)
