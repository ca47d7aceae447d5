"""A histogram that takes many equal values in one call: a batch's changes share their times."""

from __future__ import annotations

import threading
from bisect import bisect_left
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.metrics.description import Metric


class Distribution(Collector):
    """The observations of one histogram metric, by its labels."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}

    def begin(self, labels: Mapping[str, str]) -> None:
        """Export zero for `labels` before their first observation."""
        self.observe(0.0, 0, labels)

    def observe(self, value: float, times: int, labels: Mapping[str, str]) -> None:
        """Count `value` so many times. Raises KeyError for a label that is missing."""
        key = tuple(labels[name] for name in self._metric.label_names)
        bounds = self._metric.buckets
        with self._lock:
            counts = self._counts.setdefault(key, [0] * (len(bounds) + 1))
            counts[bisect_left(bounds, value)] += times
            self._sums[key] = self._sums.get(key, 0.0) + value * times

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """The metric without values."""
        yield self._family()

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """The metric with the counts so far."""
        family = self._family()
        with self._lock:
            for key, counts in self._counts.items():
                family.add_metric(key, self._cumulative(counts), self._sums[key])
        yield family

    def _family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(self._metric.name, self._metric.meaning, labels=self._metric.label_names)

    def _cumulative(self, counts: list[int]) -> list[tuple[str, float]]:
        so_far = 0
        buckets: list[tuple[str, float]] = []
        for bound, count in zip((*self._metric.buckets, float("inf")), counts, strict=True):
            so_far += count
            buckets.append(("+Inf" if bound == float("inf") else str(bound), so_far))
        return buckets
