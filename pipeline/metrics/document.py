"""docs/metrics.md, from the catalog: `python -m pipeline.metrics.document > docs/metrics.md`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from pipeline.metrics.catalog import METRICS

if TYPE_CHECKING:
    from pipeline.metrics.description import Label, Metric

_HEAD: Final = """\
# Metrics

Written from the catalog in `pipeline/metrics/catalog.py`; change it there.

Each long-running process serves its own numbers as `/metrics`, in the text format of Prometheus, at the
address that `orgstream status` shows. A counter counts from the start of its process: take rates, and sum
over the processes. Times are in seconds since 1970, durations in seconds, sizes in bytes. A label whose
values are all known is there with zero from the start; rules, tables and errors come as they occur.

"Counted" metrics tell what one process did. "Looked up" ones tell how the whole pipeline stands: `web` serves
them, and the active relay. `web` also serves what all processes counted, with a `process` label:
[operations](operations.md#metrics) says how. Beside these there are the usual ones of a process, among them
`process_resident_memory_bytes` and `process_cpu_seconds_total`.

A rule costs 17 series for its latency and four for its writes in each apply worker, and six more in all.

| metric | kind | labels | source | meaning |
|---|---|---|---|---|
"""


def document() -> str:
    """The page, with one row for each metric."""
    return _HEAD + "".join(_row(metric) + "\n" for metric in METRICS)


def _row(metric: Metric) -> str:
    labels = ", ".join(_label(label) for label in metric.labels)
    source = "looked up" if metric.looked_up else "counted"
    cells = (f"`{metric.name}`", metric.kind, labels, source, metric.meaning)
    return f"| {' | '.join(cells)} |".replace("  |", " |")


def _label(label: Label) -> str:
    values = f" ({', '.join(label.values)})" if label.values else ""
    return f"`{label.name}`{values}"


if __name__ == "__main__":
    sys.stdout.write(document())
