"""How many records one transaction of a replay takes on: the workers wait for a moment only."""

from __future__ import annotations

from typing import Final

MOST: Final = 100
CHANGES: Final = 1_000  # the workers of their partitions wait some tenths of a second for so many


class Portion:
    """`records` of the next transaction; at a `rate`, in changes/s, they are a quarter of a second's."""

    def __init__(self, rate: float | None = None) -> None:
        self._changes = float(CHANGES) if rate is None else min(CHANGES, rate / 4)
        self.records = self._bounded(self._changes)

    def took(self, changes: int) -> None:
        """The last transaction was of so many changes."""
        each = max(changes, self.records) / self.records
        self.records = self._bounded(min(2 * self.records, self._changes / each))

    def _bounded(self, records: float) -> int:
        return max(1, min(MOST, int(records)))
