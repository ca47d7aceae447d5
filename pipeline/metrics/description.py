"""What is said of a metric: its name, kind, labels with their values, and meaning."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["counter", "gauge", "histogram"]


class Label(msgspec.Struct, frozen=True):
    """A label. `values` are all that it can have; empty where the rules decide (rules, tables, errors)."""

    name: str
    values: tuple[str, ...] = ()


class Metric(msgspec.Struct, frozen=True):
    """One metric. A `looked_up` one is not counted by a process but read from the servers at each scrape."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()
    looked_up: bool = False

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of its labels, in their order."""
        return tuple(label.name for label in self.labels)


def counter(name: str, meaning: str, *labels: Label, looked_up: bool = False) -> Metric:
    """A count that only rises."""
    return Metric(name, "counter", meaning, labels, looked_up=looked_up)


def gauge(name: str, meaning: str, *labels: Label, looked_up: bool = False) -> Metric:
    """A value of this moment."""
    return Metric(name, "gauge", meaning, labels, looked_up=looked_up)


def histogram(name: str, meaning: str, buckets: tuple[float, ...], *labels: Label) -> Metric:
    """A distribution over `buckets`, given by their upper bounds without infinity."""
    return Metric(name, "histogram", meaning, labels, buckets)
