"""Leases and positions: what processes agree by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.leases import EntryId
    from pipeline.process import Process


class Positions(Protocol):
    """How far everything has come."""

    def applied(self) -> dict[int, EntryId]:
        """Up to where each partition is applied; a partition may be missing before the first time."""
        ...

    def newest_tick(self) -> int:
        """The highest id that a tick has; 0 before the first."""
        ...


class LeaseTable(Protocol):
    """The leases of all processes, by one clock that they share."""

    def prepare(self, stages: Sequence[str], partitions: int) -> None:
        """Have a lease for each partition of each stage."""
        ...

    def announce(self, process: Process) -> None:
        """Say that a process lives."""
        ...

    def sharers(self, stages: Sequence[str], seconds: float) -> dict[str, list[str]]:
        """By stage, the processes that said within the last `seconds` that they live, the oldest first.

        One that is known to be gone is not among them, and what it holds is free.
        """
        ...

    def grant(
        self, holder: str, stages: Sequence[str], partitions: Sequence[int], *, seconds: float, count: int
    ) -> list[tuple[str, int, int, int, int]]:
        """Take up to `count` of these partitions that are free in all the stages, under new terms.

        Free is also what the holder has itself: it may have forgotten it.

        Rows of stage, partition, term, and the position as tick and ordinal.
        """
        ...

    def renew(self, holder: str, stages: Sequence[str], seconds: float) -> list[tuple[str, int, int]]:
        """Hold on to what is held; its rows of stage, partition and term."""
        ...

    def release(self, holder: str, stages: Sequence[str], partitions: Sequence[int]) -> None:
        """Hand leases back, as far as they are held."""
        ...

    def forget(self, process: str) -> None:
        """Forget a process that ends."""
        ...
