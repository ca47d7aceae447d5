"""How many records one transaction of a replay takes on: the workers wait for a moment only."""

from __future__ import annotations

import math
from typing import Final

MOST: Final = 100
AIM_SECONDS: Final = 0.25  # the workers of their partitions wait that long


class Portion:
    """`records` of the next transaction; at a `rate`, in changes/s, they are a quarter of a second's."""

    def __init__(self, rate: float | None = None) -> None:
        self._quarter = math.inf if rate is None else rate / 4
        self.records = self._bounded(self._quarter)

    def took(self, changes: int, seconds: float) -> None:
        """The last transaction was of so many changes, and took so long."""
        by_time = self.records * min(2.0, AIM_SECONDS / max(seconds, AIM_SECONDS / 2))
        by_rate = self._quarter * self.records / max(changes, self.records)
        self.records = self._bounded(min(by_time, by_rate))

    def _bounded(self, records: float) -> int:
        return max(1, int(min(MOST, records)))
