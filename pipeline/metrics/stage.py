"""What a worker counts of one stage, by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.metrics import catalog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.metrics.description import Metric
    from pipeline.metrics.registry import Metrics


class StageMetrics:
    """The metrics of one stage (or of the relay, where it fails, retries or holds its lease)."""

    def __init__(self, metrics: Metrics, stage: str) -> None:
        self._metrics = metrics
        self._stage = stage

    def received(self, entries: int, *, reclaimed: int = 0) -> None:
        """A batch was read; so many of its entries were another consumer's."""
        self._add(catalog.ENTRIES_RECEIVED, entries)
        self._add(catalog.ENTRIES_IN_PROGRESS, entries)
        if reclaimed:
            self._add(catalog.RECLAIMED, reclaimed)

    def handled(self, outcomes: Mapping[str, int], *, emitted: int) -> None:
        """The batch's outcomes, and how many items went on to the next stage."""
        for outcome, entries in outcomes.items():
            self._metrics.add(catalog.ENTRIES_HANDLED, entries, stage=self._stage, outcome=outcome)
        self._add(catalog.ENTRIES_EMITTED, emitted)

    def acknowledged(self, entries: int, *, seconds: float, now: float) -> None:
        """The batch is done, `seconds` after it was read, at the epoch time `now`."""
        self._add(catalog.ENTRIES_IN_PROGRESS, -entries)
        self._metrics.observe(catalog.BATCH_SECONDS, seconds, stage=self._stage)
        self._metrics.observe(catalog.BATCH_ENTRIES, entries, stage=self._stage)
        self._metrics.set(catalog.LAST_BATCH, now, stage=self._stage)

    def abandoned(self, entries: int) -> None:
        """The batch was given up without acknowledgement; it will be delivered again."""
        self._add(catalog.ENTRIES_IN_PROGRESS, -entries)

    def failed(self, error: str, *, retried: bool) -> None:
        """An attempt failed with this kind of error, and was or will be made again."""
        self._metrics.add(catalog.FAILURES, stage=self._stage, error=error)
        if retried:
            self._metrics.add(catalog.RETRIES, stage=self._stage, error=error)

    def dead_lettered(self, cause: str, letters: int) -> None:
        """Dead letters were written."""
        self._metrics.add(catalog.DEAD_LETTERS, letters, stage=self._stage, error=cause)

    def leases(self, held: int, *, lost: int = 0) -> None:
        """How many partitions this process holds, and how many it lost since it said so last."""
        self._metrics.set(catalog.LEASES_HELD, held, stage=self._stage)
        self._add(catalog.LEASE_LOSSES, lost)

    def _add(self, metric: Metric, amount: int) -> None:
        self._metrics.add(metric, amount, stage=self._stage)
