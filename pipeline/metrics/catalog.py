"""Every metric of Orgstream: here what a process counts, in `standing` what is looked up.

Names, labels and units are a contract: dashboards and alerts rely on them.

Base units, `_total` on counters only, times as timestamps and not ages, no label without a bound.
"""

from __future__ import annotations

from typing import Final

from pipeline.metrics import labels
from pipeline.metrics.description import Label, Metric, counter, gauge, histogram
from pipeline.metrics.standing import STANDING

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_LATENCY: Final = (0.002, 0.004, 0.008, 0.016, 0.04, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)
_ENTRIES: Final = (1.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0)

BUILD_INFO: Final = gauge("orgstream_build_info", "Always 1; the label tells the version.", Label("version"))
RELAYED_CHANGES: Final = counter("orgstream_relayed_changes_total", "Changes appended to the streams.")
DROPPED_CHANGES: Final = counter(
    "orgstream_dropped_changes_total",
    "Changes that retention dropped with their ledger, by the ids drawn for them.",
)
REBUILT_PARTITIONS: Final = counter(
    "orgstream_rebuilt_partitions_total",
    "Partitions whose streams the relay made anew: at the first start, and when Redis lost them.",
)
ENTRIES_RECEIVED: Final = counter(
    "orgstream_entries_received_total", "Entries read by a stage, redeliveries included.", labels.STAGE
)
ENTRIES_HANDLED: Final = counter(
    "orgstream_entries_handled_total", "Entries that a stage gave an outcome.", labels.STAGE, labels.OUTCOME
)
ENTRIES_EMITTED: Final = counter(
    "orgstream_entries_emitted_total",
    "Items that a stage handed to the next; one entry may give several.",
    labels.STAGE,
)
ENTRIES_IN_PROGRESS: Final = gauge(
    "orgstream_entries_in_progress", "Entries read and not yet acknowledged, in this process.", labels.STAGE
)
BATCH_SECONDS: Final = histogram(
    "orgstream_batch_duration_seconds",
    "Time from the read of a batch to its acknowledgement.",
    _SECONDS,
    labels.STAGE,
)
BATCH_ENTRIES: Final = histogram("orgstream_batch_entries", "Entries of a batch.", _ENTRIES, labels.STAGE)
LAST_BATCH: Final = gauge(
    "orgstream_last_batch_timestamp_seconds", "When a stage last acknowledged a batch.", labels.STAGE
)
WRITES: Final = counter(
    "orgstream_writes_total",
    "Writes by what became of them in the target table.",
    labels.RULE,
    labels.TABLE,
    labels.RESULT,
)
CONFLICTS: Final = counter(
    "orgstream_conflicts_total",
    "Conflicts by who won; nobody: a person is to say.",
    labels.RULE,
    labels.WINNER,
)
APPLY_SECONDS: Final = histogram(
    "orgstream_apply_duration_seconds", "Time of an apply transaction.", _SECONDS
)
LATENCY_SECONDS: Final = histogram(
    "orgstream_end_to_end_latency_seconds",
    "Time from commit at the source to commit at the target.",
    _LATENCY,
    labels.RULE,
)
DELIVERIES: Final = counter(
    "orgstream_deliveries_total",
    "Entries of Heroku Connect's trigger logs that our writes made, by what Salesforce made of them.",
    labels.ORG,
    labels.DELIVERY,
)
BACKFILLED_ROWS: Final = counter("orgstream_backfilled_rows_total", "Rows sent by backfills.", labels.TABLE)
FAILURES: Final = counter(
    "orgstream_failures_total", "Attempts that an outage ended, by what was away.", labels.STEP, labels.OUTAGE
)
RETRIES: Final = counter(
    "orgstream_retries_total", "Attempts made again, by what had been away.", labels.STEP, labels.OUTAGE
)
RECLAIMED: Final = counter(
    "orgstream_reclaimed_entries_total",
    "Pending entries taken over from consumers that are gone.",
    labels.STAGE,
)
DEAD_LETTERS: Final = counter(
    "orgstream_dead_letters_total", "Dead letters written, by their cause.", labels.STAGE, labels.CAUSE
)
LEASES_HELD: Final = gauge("orgstream_leases_held", "Partitions that this process holds.", labels.STEP)
LEASE_LOSSES: Final = counter(
    "orgstream_lease_losses_total", "Leases lost before they were released.", labels.STEP
)

COUNTED: Final[tuple[Metric, ...]] = tuple(
    value for value in list(globals().values()) if isinstance(value, Metric)
)
METRICS: Final = COUNTED + STANDING
