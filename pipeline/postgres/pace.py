"""How much one apply transaction takes on: as much as there is, until the target turns out to be slow.

A transaction much longer than a lease would find the lease taken when it is refused, and a statement that
is too long never ends well; so what is slow is done in smaller parts, each of which is progress.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

import psycopg

from pipeline.postgres.faults import treatment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item = TypeVar("Item")
_MOST: Final = 1_000_000  # of items: no limit


class Pace:
    """How many items one transaction takes, from how long the last ones took. It outlives connections."""

    def __init__(self, aim: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`aim` is how long a transaction should take at most, in seconds."""
        self._aim = aim
        self._clock = clock
        self.items = _MOST

    def run(self, items: Sequence[Item], do: Callable[[Sequence[Item]], None]) -> None:
        """Do the items in parts, each as large as it may be when its turn comes. Raises what `do` raises."""
        done = 0
        while done < len(items):
            part = items[done : done + self.items]
            began = self._clock()
            try:
                do(part)
            except psycopg.Error as error:
                self._failed(len(part), self._clock() - began, smaller=treatment_of(error).smaller)
                raise
            self._worked(len(part), self._clock() - began)
            done += len(part)

    def _worked(self, count: int, seconds: float) -> None:
        if seconds > self._aim:
            self._shrink(count * self._aim / seconds)
        elif count == self.items and seconds < self._aim / 2:
            self.items = min(_MOST, 2 * self.items)

    def _failed(self, count: int, seconds: float, *, smaller: bool) -> None:
        if smaller:
            self._shrink(min(count / 2, count * self._aim / max(seconds, self._aim)))

    def _shrink(self, items: float) -> None:
        self.items = max(1, min(self.items, int(items)))
