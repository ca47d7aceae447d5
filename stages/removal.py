"""One side deleted the record, the other edited it: who wins."""

from __future__ import annotations

from typing import Any

import msgspec

from stages.agreement import same
from stages.rules.contest import Contest
from stages.scene import Present
from stages.stamp import ALL, Ranks, Stamp
from stages.verdict import Side, Verdict
from stages.write import Action, Write


class Removal(msgspec.Struct, frozen=True):
    """A delete that meets a row."""

    write: Write
    contest: Contest
    present: Present
    deleted: Stamp
    ranks: Ranks

    def verdict(self, unseen: Stamp) -> tuple[Verdict, list[tuple[str, Any]]]:
        """The verdict, and the columns in which the row differs from what was deleted, with their values."""
        if self.present.row is None:
            return Verdict(True, self._latest(self.present.deleted)), []
        disputed = self._disputed(self.present.row)
        policy = self.contest.policy
        if policy == "newest":
            last = self._last_edit()
            if last is not None and self.ranks.later(last, self.deleted):
                return Verdict(False, last, Side.TARGET, "edited later than it was deleted"), disputed
            return self._deleted("deleted later than it was edited", disputed), disputed
        if not disputed or policy == "source":
            return self._deleted("the source wins here", disputed), disputed
        if policy == "manual":
            return Verdict(False, unseen, Side.NOBODY, "a person decides here"), disputed
        return Verdict(False, unseen, Side.TARGET, "what was edited stays"), disputed

    def _deleted(self, why: str, disputed: list[tuple[str, Any]]) -> Verdict:
        return Verdict(True, self.deleted, Side.SOURCE if disputed else None, why)

    def _latest(self, other: Stamp | None) -> Stamp:
        return other if other is not None and self.ranks.later(other, self.deleted) else self.deleted

    def _disputed(self, row: dict[str, Any]) -> list[tuple[str, Any]]:
        began = self.write.began or {}
        types = self.contest.types
        return [(n, row.get(n)) for n, value in began.items() if not same(row.get(n), value, types[n])]

    def _last_edit(self) -> Stamp | None:
        """The last edit of what the deleting side would have got, where rules lead back; else of anything."""
        heeded = self.contest.back or self.present.stamps.keys()
        names = {name for name in heeded if name not in self.contest.bookkeeping}
        stamps = self.present.stamps
        known = [stamps.get(name) or stamps.get(ALL) for name in names]
        return self.ranks.latest(stamp for stamp in known if stamp is not None)


def late_update(write: Write, contest: Contest, present: Present, edited: Stamp, ranks: Ranks) -> Verdict:
    """Whether a write makes a row anew where one was deleted. An insert or entry may, if later."""
    deleted = present.deleted
    if deleted is None:
        return Verdict(True, edited)
    updates = write.action is Action.UPDATE
    if contest.policy == "newest":
        if not ranks.later(edited, deleted):
            return Verdict(False, deleted, Side.TARGET, "deleted later than it was edited")
        return Verdict(True, edited, Side.SOURCE if updates else None, "edited later than it was deleted")
    if updates and contest.policy == "target":
        return Verdict(False, deleted, Side.TARGET, "the target wins here")
    if updates and contest.policy == "manual":
        return Verdict(False, deleted, Side.NOBODY, "a person decides here")
    return Verdict(True, edited)
