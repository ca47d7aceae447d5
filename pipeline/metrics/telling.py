"""What a process tells the others of itself: its counted metrics, and how fast it went of late."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, Self

import msgspec

from pipeline.metrics import catalog

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.metrics_core import Metric as Family

    from pipeline.process import Process

_RATED: Final = {
    catalog.RELAYED_CHANGES.name: None,
    catalog.ENTRIES_HANDLED.name: "stage",
    catalog.WRITES.name: "rule",
}


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One value of a metric: the sample's name, its labels, the value."""

    name: str
    labels: dict[str, str]
    value: float


class Told(msgspec.Struct, frozen=True, array_like=True):
    """One metric with all its values. `kind` is Prometheus's word."""

    name: str
    kind: str
    meaning: str
    samples: list[Sample]


class Telling(msgspec.Struct, frozen=True):
    """A process at one moment. `rates` are per second over about the last minute, by metric and label."""

    id: str
    kind: str
    host: str
    stages: tuple[str, ...]
    metrics: list[Told]
    rates: dict[str, dict[str, float]] = {}

    def value(self, name: str) -> float | None:
        """The value of a metric without labels; None where it is not told."""
        return next((s.value for told in self.metrics for s in told.samples if s.name == name), None)

    def encode(self) -> bytes:
        """The document that goes to the board."""
        return zlib.compress(msgspec.json.encode(self), 1)

    @classmethod
    def decode(cls, document: bytes) -> Self:
        """The telling of a document. Raises msgspec.DecodeError, zlib.error."""
        return msgspec.json.decode(zlib.decompress(document), type=cls)


def telling_of(process: Process, families: Iterable[Family]) -> Telling:
    """What a process tells now, but for its rates."""
    metrics = [
        Told(
            family.name,
            family.type,
            family.documentation,
            [Sample(sample.name, sample.labels, sample.value) for sample in family.samples],
        )
        for family in families
    ]
    return Telling(process.id, process.kind, process.host, process.stages, metrics)


def rated_of(telling: Telling) -> dict[str, dict[str, float]]:
    """The counters that rates are taken of: metric -> stage or rule ('' without such a label) -> sum."""
    found: dict[str, dict[str, float]] = {}
    for told in telling.metrics:
        for sample in told.samples:
            if sample.name in _RATED:
                label = _RATED[sample.name]
                sums = found.setdefault(sample.name, {})
                key = sample.labels[label] if label else ""
                sums[key] = sums.get(key, 0.0) + sample.value
    return found


def last_words(telling: Telling) -> Telling:
    """What still holds when the process has ended: what it counted, and no value of a moment."""
    kept = [told for told in telling.metrics if told.kind in ("counter", "histogram")]
    return msgspec.structs.replace(telling, metrics=kept, rates={})
