"""What became of a batch in the target database."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from stages.reject import Reject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stages.apply import Plan


class Applied(msgspec.Struct):
    """What one batch came to."""

    written: dict[int, int] = {}  # rule -> writes
    duplicates: dict[int, int] = {}  # rule -> writes that the ledger held already
    rejects: list[Reject] = []

    def add(self, plan: Plan, repeated: Iterable[tuple[int, int]]) -> None:
        """Count one committed transaction; `repeated` are the (change, rule) it left out."""
        _count(self.written, (entry.rule_id for entry in plan.ledger))
        _count(self.duplicates, (rule for _, rule in repeated))
        self.rejects += plan.rejects


def _count(counts: dict[int, int], rules: Iterable[int]) -> None:
    for rule, count in Counter(rules).items():
        counts[rule] = counts.get(rule, 0) + count
