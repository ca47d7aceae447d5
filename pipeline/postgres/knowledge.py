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
    from stages.omit import Omitted
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules


def nothing(_: Plan) -> None:
    """What a step says that has nothing to write."""


class Edited(NamedTuple):
    """The passages as they are to be planned, and what is to be written before and beside the plan."""

    passages: Sequence[Passage]
    remember: Callable[[Plan], None] = nothing  # after the plan's statements
    prepare: Callable[[Plan], None] = nothing  # before them: what triggers of the target are to find
    conflicts: tuple[tuple[int, str], ...] = ()  # rule and winner of each, to be counted


class Knowledge(Protocol):
    """One step, on the connection of the transaction."""

    need: Need

    def edit(
        self, passages: Sequence[Passage], rules: CompiledRules, omitted: Callable[[], Omitted]
    ) -> Edited:
        """Read what the batch has to know, after the fence and in its transaction. Raises psycopg.Error.

        `omitted` begins to follow the batch anew, for a step that must know what the plan will leave out.
        """
        ...


class Steps:
    """The steps in their order: what an earlier one takes out of a batch, a later one does not ask about."""

    def __init__(self, steps: Sequence[Knowledge] = ()) -> None:
        self._steps = steps

    def of(self, rules: CompiledRules, beside: frozenset[Need] = frozenset()) -> Sequence[Knowledge]:
        """The steps that this rule set needs, mostly none; and those for what is needed `beside`."""
        if not (rules.needs or beside):
            return ()
        return [step for step in self._steps if step.need in rules.needs or step.need in beside]


def edit(
    steps: Sequence[Knowledge],
    passages: Sequence[Passage],
    rules: CompiledRules,
    omitted: Callable[[], Omitted],
) -> Edited:
    """Take the steps one after the other."""
    taken: list[Edited] = []
    for step in steps:
        taken.append(step.edit(passages, rules, omitted))
        passages = taken[-1].passages

    def remember(plan: Plan) -> None:
        for one in taken:
            one.remember(plan)

    def prepare(plan: Plan) -> None:
        for one in taken:
            one.prepare(plan)

    return Edited(passages, remember, prepare, tuple(one for step in taken for one in step.conflicts))
