"""The metrics of one process: counted by batch, and looked up in the servers when somebody scrapes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec
import prometheus_client
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector, CollectorRegistry

from pipeline.errors import OrgstreamError
from pipeline.log import get_logger
from pipeline.metrics.catalog import BUILD_INFO, METRICS
from pipeline.metrics.description import Metric
from pipeline.metrics.distribution import Distribution
from pipeline.version import version

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
_log = get_logger()


class Reading(msgspec.Struct, frozen=True):
    """One value of a looked-up metric."""

    metric: Metric
    value: float
    labels: Mapping[str, str] = {}


# Reads looked-up metrics from a server. Raises OrgstreamError when the server does not answer.
Look = Callable[[], Iterable[Reading]]
_Family = CounterMetricFamily | GaugeMetricFamily


class Metrics:
    """Counters, gauges and histograms of this process. Every method is safe in any thread."""

    def __init__(self) -> None:
        self._counted = CollectorRegistry(auto_describe=False)
        self._values: dict[str, prometheus_client.Counter | prometheus_client.Gauge] = {}
        self._distributions: dict[str, Distribution] = {}
        self._looked_up = _LookedUp()
        for metric in METRICS:
            if not metric.looked_up:
                self._register(metric)
        prometheus_client.ProcessCollector(registry=self._counted)
        self.set(BUILD_INFO, 1, version=version())

    def add(self, metric: Metric, amount: float = 1, **labels: str) -> None:
        """Add to a counter or a gauge. Raises KeyError when it is none, ValueError when labels do not fit."""
        self._child(metric, labels).inc(amount)

    def set(self, metric: Metric, value: float, **labels: str) -> None:
        """Set a gauge. Raises TypeError when it is none, ValueError when labels do not fit."""
        child = self._child(metric, labels)
        if not isinstance(child, prometheus_client.Gauge):
            raise TypeError(f"{metric.name} is a {metric.kind}, which cannot be set")
        child.set(value)

    def observe(self, metric: Metric, value: float, times: int = 1, **labels: str) -> None:
        """Count `value` so many times in a histogram. Raises KeyError when it is none or lacks a label."""
        self._distributions[metric.name].observe(value, times, labels)

    def watch(self, look: Look) -> None:
        """Call `look` at each scrape. While it raises OrgstreamError its metrics are absent."""
        self._looked_up.looks.append(look)

    def counted(self) -> Iterable[Family]:
        """What this process counted."""
        return self._counted.collect()

    def looked_up(self) -> Iterable[Family]:
        """What the looks find now."""
        return self._looked_up.collect()

    def exposition(self) -> bytes:
        """Everything, in the text format of Prometheus."""
        return exposition([*self.counted(), *self.looked_up()])

    def _register(self, metric: Metric) -> None:
        if metric.kind == "histogram":
            distribution = self._distributions[metric.name] = Distribution(metric)
            self._counted.register(distribution)
            for labels in _bounded(metric):
                distribution.begin(labels)
            return
        kind = prometheus_client.Counter if metric.kind == "counter" else prometheus_client.Gauge
        self._values[metric.name] = kind(
            metric.name, metric.meaning, metric.label_names, registry=self._counted
        )
        for labels in _bounded(metric):
            self._child(metric, labels)

    def _child(
        self, metric: Metric, labels: Mapping[str, str]
    ) -> prometheus_client.Counter | prometheus_client.Gauge:
        parent = self._values[metric.name]
        return parent.labels(**labels) if labels or metric.labels else parent


def exposition(families: Iterable[Family]) -> bytes:
    """Metrics in the text format of Prometheus."""
    return prometheus_client.generate_latest(_These(families))


class _These(Collector):
    """Metrics that are there already."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        """They."""
        return self._families


class _LookedUp(Collector):
    """What the looks return, as metrics."""

    def __init__(self) -> None:
        self.looks: list[Look] = []

    def collect(self) -> Iterator[_Family]:
        """The readings of all looks that succeed; described also where there is nothing to read just now."""
        looked_up = (metric for metric in METRICS if metric.looked_up) if self.looks else ()
        families = {metric.name: _family(metric) for metric in looked_up}
        for look in self.looks:
            try:
                readings = list(look())
            except OrgstreamError as error:
                _log.warning("metrics could not be looked up", action="metrics_look_failed", error=error)
                continue
            for reading in readings:
                metric = reading.metric
                families[metric.name].add_metric(
                    [reading.labels[name] for name in metric.label_names], reading.value
                )
        yield from families.values()


def _family(metric: Metric) -> _Family:
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    return kind(metric.name, metric.meaning, labels=metric.label_names)


def _bounded(metric: Metric) -> Iterator[dict[str, str]]:
    """Every combination of labels where all are bounded: those are exported as zero from the start."""
    if all(label.values for label in metric.labels):
        for values in itertools.product(*(label.values for label in metric.labels)):
            yield dict(zip(metric.label_names, values, strict=True))
