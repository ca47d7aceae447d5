"""What a plan is going to leave out of a batch, for whoever has to know it before there is a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.hold import EVERY_RULE

if TYPE_CHECKING:
    from stages.change import Change
    from stages.hold import Holds
    from stages.passage import Passage
    from stages.reject import Reject
    from stages.wait import Wait


class Omitted:
    """Follows a batch in its order, as `plan_writes` does; `holds` is an instance of its own.

    First `meet` each passage, then ask for each of its writes.
    """

    def __init__(self, holds: Holds, applied: frozenset[tuple[int, int]]) -> None:
        self._holds = holds
        self._applied = applied
        self._met: set[tuple[int, int]] = set()

    def meet(self, passage: Passage) -> None:
        """What was rejected of it so far holds back what comes later."""
        if passage.change is not None:
            for reject in passage.rejects:
                self.reject(passage.change, reject)
            for wait in passage.waits:
                if (wait.change_id, wait.rule_id) not in self._applied:
                    self.reject(passage.change, wait)

    def reject(self, change: Change, reject: Reject | Wait) -> None:
        """A change that fails only now, or has to wait."""
        if not self._holds.any or not self._holds.hold(change, reject.rule_id or EVERY_RULE):
            self._holds.begin(change, reject)

    def has(self, change: Change, rule: int) -> bool:
        """Whether the write of this change under this rule is left out: it was done, or has to wait."""
        name = (change.id, rule)
        if name in self._applied or name in self._met:
            return True
        if self._holds.any and self._holds.hold(change, rule):
            return True
        self._met.add(name)
        return False
