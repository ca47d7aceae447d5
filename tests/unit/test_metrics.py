"""The catalog keeps Prometheus's rules, and what is counted is what is exported."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.errors import ServerUnreachable
from pipeline.metrics import Metrics, Reading, StageMetrics, catalog, standing
from pipeline.metrics.catalog import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.metrics.description import Metric

COUNTED = ("changes", "entries", "processes", "partitions", "rules", "rows", "captures")
UNITS = ("seconds", "bytes", "total", "held", "info", "progress", "up", *COUNTED)
LISTED = {"stage", "outcome", "result", "error", "kind", "server", "reason"}  # all values are known
CONFIGURED = {
    "rule",
    "table",
    "org",
    "source_org",
    "target_org",
    "relation",
    "version",
}  # by the rules
CONFIGURED |= {"process", "host", "stages"}  # by the processes that run
SETTINGS = {standing.RETENTION}

every_metric = pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)


@every_metric
def test_names_keep_the_rules(metric: Metric) -> None:
    assert re.fullmatch(r"orgstream(_[a-z]+)+", metric.name)
    assert metric.name.rpartition("_")[2] in UNITS
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert not any(word in metric.name for word in ("event", "message", "_task", "_job", "processed", "_ms"))
    assert metric.name.endswith("_info") or not any(f"_{name}_" in metric.name for name in metric.label_names)


@every_metric
def test_times_are_timestamps_or_distributions(metric: Metric) -> None:
    if metric.name.endswith("_seconds") and metric not in SETTINGS:
        assert metric.kind == "histogram" or "timestamp" in metric.name


@every_metric
def test_every_metric_says_what_it_means(metric: Metric) -> None:
    assert re.fullmatch(r"[A-Z1].+\.", metric.meaning)


@every_metric
def test_labels_are_few_and_known(metric: Metric) -> None:
    for label in metric.labels:
        assert label.name in (LISTED if label.values else CONFIGURED)
        assert len(label.values) <= 16


@every_metric
def test_buckets_rise(metric: Metric) -> None:
    assert bool(metric.buckets) == (metric.kind == "histogram")
    assert list(metric.buckets) == sorted(set(metric.buckets))


def test_no_name_is_given_twice() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS) > 25


def test_bounded_labels_are_zero_before_the_first_entry() -> None:
    exported = values(Metrics())
    assert exported["orgstream_entries_handled_total", "reject", "apply"] == 0
    assert exported["orgstream_dead_letters_total", "no-key", "apply"] == 0
    assert exported["orgstream_batch_entries_count", "filter"] == 0
    assert exported["orgstream_relayed_changes_total",] == 0


def test_only_what_the_catalog_knows_is_exported() -> None:
    text = Metrics().exposition().decode()
    exported = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE orgstream_")}
    assert exported == {metric.name for metric in METRICS if not metric.looked_up}


def test_a_batch_is_counted() -> None:
    metrics = Metrics()
    stage = StageMetrics(metrics, "match")
    stage.received(10, reclaimed=4)
    stage.handled({"emit": 7, "skip": 3}, emitted=9)
    assert values(metrics)["orgstream_entries_in_progress", "match"] == 10
    stage.acknowledged(10, seconds=0.02, now=1234.5)
    stage.failed("timeout", retried=True)
    stage.failed("timeout", retried=False)
    stage.dead_lettered("no-key", 2)
    stage.leases(3, lost=1)
    exported = values(metrics)
    expected = {
        ("orgstream_entries_received_total", "match"): 10,
        ("orgstream_reclaimed_entries_total", "match"): 4,
        ("orgstream_entries_handled_total", "emit", "match"): 7,
        ("orgstream_entries_handled_total", "skip", "match"): 3,
        ("orgstream_entries_emitted_total", "match"): 9,
        ("orgstream_entries_in_progress", "match"): 0,
        ("orgstream_batch_entries_sum", "match"): 10,
        ("orgstream_batch_duration_seconds_sum", "match"): 0.02,
        ("orgstream_last_batch_timestamp_seconds", "match"): 1234.5,
        ("orgstream_failures_total", "timeout", "match"): 2,
        ("orgstream_retries_total", "timeout", "match"): 1,
        ("orgstream_dead_letters_total", "no-key", "match"): 2,
        ("orgstream_leases_held", "match"): 3,
        ("orgstream_lease_losses_total", "match"): 1,
    }
    assert {key: exported[key] for key in expected} == expected


def test_a_distribution_counts_many_at_once() -> None:
    metrics = Metrics()
    metrics.observe(catalog.LATENCY_SECONDS, 0.004, 3, rule="a")
    metrics.observe(catalog.LATENCY_SECONDS, 0.005, 2, rule="a")
    metrics.observe(catalog.LATENCY_SECONDS, 9999.0, rule="a")
    exported = values(metrics)
    name = "orgstream_end_to_end_latency_seconds"
    counts = [
        exported[f"{name}_bucket", bound, "a"] for bound in ("0.002", "0.004", "0.008", "3600.0", "+Inf")
    ]
    assert counts == [0, 3, 5, 5, 6]
    assert exported[f"{name}_count", "a"] == 6
    assert exported[f"{name}_sum", "a"] == pytest.approx(3 * 0.004 + 2 * 0.005 + 9999)


def test_looked_up_metrics_are_read_at_each_scrape() -> None:
    metrics = Metrics()
    captured = iter((5, 8))
    metrics.watch(lambda: [Reading(standing.CAPTURED_CHANGES, next(captured))])
    metrics.watch(
        lambda: [Reading(standing.LAG_ENTRIES, n, {"stage": s}) for s, n in (("filter", 1), ("apply", 2))]
    )
    assert values(metrics)["orgstream_captured_changes_total",] == 5
    exported = values(metrics)
    assert exported["orgstream_captured_changes_total",] == 8
    assert exported["orgstream_lag_entries", "apply"] == 2


def test_a_server_that_is_away_takes_only_its_own_metrics_along() -> None:
    def away() -> Iterable[Reading]:
        raise ServerUnreachable("Redis is away")

    metrics = Metrics()
    metrics.watch(away)
    metrics.watch(lambda: [Reading(standing.HELD_CHANGES, 7)])
    exported = values(metrics)
    assert exported["orgstream_held_changes",] == 7
    assert ("orgstream_lag_entries", "filter") not in exported


def test_wrong_use_is_refused() -> None:
    metrics = Metrics()
    with pytest.raises(TypeError, match="counter"):
        metrics.set(catalog.RELAYED_CHANGES, 1)
    with pytest.raises(ValueError, match="label"):
        metrics.add(catalog.WRITES, 1, rule="a")
    with pytest.raises(KeyError):
        metrics.add(catalog.BATCH_ENTRIES, 1, stage="filter")


def values(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Every exported sample by its name and the values of its labels, in the order of the labels' names."""
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
    }
