"""Conflicts: what a batch's writes leave of themselves where the target has edits of its own.

Each column is decided by its policy (`stages/verdict.py`), a record that one side deleted as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stages.bout import Bout, Conflict
from stages.reject import Reject
from stages.resend import Answers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stages.omit import Omitted
    from stages.passage import Passage
    from stages.resend import Answer
    from stages.rules.compile import CompiledRules
    from stages.scene import Scene
    from stages.write import Write


class Resolution(NamedTuple):
    """The passages as they are to be planned, the conflicts that were met, and whom to tell who won."""

    passages: list[Passage]
    conflicts: list[Conflict]
    answers: list[Answer]


def resolve(passages: Sequence[Passage], rules: CompiledRules, scene: Scene, omitted: Omitted) -> Resolution:
    """Decide the contested writes of a batch, in its order. The scene is what it was before the batch."""
    conflicts: list[Conflict] = []
    answers = Answers(scene)
    found = []
    for passage in passages:
        omitted.meet(passage)
        change = passage.change
        if change is None:
            found.append(passage)
            continue
        writes: list[Write] = []
        rejects: list[Reject] = []
        for write in passage.writes:
            contest = rules.by_id[write.rule].contest
            if contest is None or omitted.has(change, write.rule):
                writes.append(write)
                continue
            bout = Bout(change, write, contest, rules, scene)
            outcome = bout.outcome(answers)
            conflicts += bout.conflicts
            if isinstance(outcome, Reject):
                rejects.append(outcome)
                omitted.reject(change, outcome)
            else:
                writes.append(outcome)
        found.append(
            msgspec.structs.replace(passage, writes=tuple(writes), rejects=(*passage.rejects, *rejects))
        )
    return Resolution(found, conflicts, answers.all())
