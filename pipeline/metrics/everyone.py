"""The metrics of all processes together, each value marked with the name of its process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.metrics_core import Metric as Family

from pipeline.metrics import standing
from pipeline.metrics.registry import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.metrics.telling import Telling


def together(tellings: Mapping[str, Telling]) -> list[Family]:
    """One metric of each name, with a `process` label.

    Nothing is added up here. Each process's counters rise by themselves, from zero at its start, so
    Prometheus takes the rate of each and sums the rates: a process that ends takes its series along and no
    sum falls.
    """
    families: dict[str, Family] = {}
    for process, telling in tellings.items():
        for told in telling.metrics:
            family = families.get(told.name)
            if family is None:
                family = families[told.name] = Family(told.name, told.meaning, told.kind)
            for sample in told.samples:
                family.add_sample(sample.name, {**sample.labels, "process": process}, sample.value)
    return list(families.values())


def info_of(tellings: Mapping[str, Telling]) -> Iterator[Reading]:
    """Which process each name stands for just now."""
    for process, telling in tellings.items():
        labels = {"process": process, "kind": telling.kind, "host": telling.host}
        yield Reading(standing.PROCESS_INFO, 1, {**labels, "stages": ",".join(telling.stages)})
