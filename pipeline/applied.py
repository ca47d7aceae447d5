"""What became of a batch in the target database."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

import msgspec

from stages.reject import Reject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stages.apply import Plan


_Name = TypeVar("_Name", int, tuple[int, str])


class Applied(msgspec.Struct):
    """What one batch came to."""

    written: dict[int, int] = {}  # rule -> writes
    duplicates: dict[int, int] = {}  # rule -> writes that the ledger held already
    conflicts: dict[tuple[int, str], int] = {}  # rule, winner -> conflicts
    rejects: list[Reject] = []

    def add(self, plan: Plan, repeated: Iterable[tuple[int, int]]) -> None:
        """Count one committed transaction; `repeated` are the (change, rule) it left out."""
        _count(self.written, [entry.rule_id for entry in plan.ledger])
        _count(self.duplicates, (rule for _, rule in repeated))
        _count(self.conflicts, plan.conflicts)
        self.rejects += plan.rejects


def _count(counts: dict[_Name, int], names: Iterable[_Name]) -> None:
    for name, count in Counter(names).items():
        counts[name] = counts.get(name, 0) + count
