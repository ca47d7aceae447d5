"""What a plan sets aside, in its transaction: dead letters, waits, and what is held behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.postgres.letter_table import write_letters
from pipeline.postgres.waits import NOTHING_KEPT

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

    from pipeline.carry import Waiting
    from pipeline.postgres.holds import KnownHolds
    from pipeline.postgres.waits import Kept, WaitTable
    from stages.apply import Plan


class Aside:
    """Writes what a plan sets aside, on one connection."""

    def __init__(self, connection: psycopg.Connection, holds: KnownHolds, waits: WaitTable) -> None:
        self._connection = connection
        self._holds = holds
        self._waits = waits

    def write(
        self, plan: Plan, partitions: Mapping[int, int], kept: Mapping[Waiting, Kept] = NOTHING_KEPT
    ) -> None:
        """Write it; `partitions` are the changes', `kept` is what waits keep that go on."""
        letters = write_letters(self._connection, plan.rejects, partitions)
        if plan.waits:
            letters = letters | self._waits.write(plan.waits, partitions, kept)
        self._holds.record(plan, letters, partitions)
