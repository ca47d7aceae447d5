"""Every metric of Orgstream. Names, labels and units are a contract: dashboards and alerts rely on them.

Base units, `_total` on counters only, times as timestamps and not ages, no label without a bound.
"""

from __future__ import annotations

from typing import Final

from pipeline.metrics.description import Label, Metric, counter, gauge, histogram
from stages.reject import Cause

STAGES: Final = ("filter", "match", "transform", "apply")
OUTCOMES: Final = ("emit", "skip", "reject")
RESULTS: Final = ("applied", "unchanged", "duplicate", "stale")

_STAGE: Final = Label("stage", STAGES)
_STEP: Final = Label("stage", ("relay", *STAGES))  # where the relay counts as one
_OUTCOME: Final = Label("outcome", OUTCOMES)
_RESULT: Final = Label("result", RESULTS)
_CAUSE: Final = Label("error", tuple(Cause))
OUTAGES: Final = ("postgres", "redis", "lease")
_OUTAGE: Final = Label("error", OUTAGES)
_RULE: Final = Label("rule")
_TABLE: Final = Label("table")

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_LATENCY: Final = (0.002, 0.004, 0.008, 0.016, 0.04, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)
_ENTRIES: Final = (1.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0)

BUILD_INFO: Final = gauge("orgstream_build_info", "Always 1; the label tells the version.", Label("version"))

CAPTURED_CHANGES: Final = counter(
    "orgstream_captured_changes_total", "Changes written to change_queue.", looked_up=True
)
OUTBOX_PENDING: Final = gauge(
    "orgstream_outbox_pending_changes", "The backlog: changes not yet relayed.", looked_up=True
)
OUTBOX_OLDEST: Final = gauge(
    "orgstream_outbox_oldest_change_timestamp_seconds",
    "Capture time of the oldest change of the backlog.",
    looked_up=True,
)
RELAYED_CHANGES: Final = counter("orgstream_relayed_changes_total", "Changes appended to the streams.")

ENTRIES_RECEIVED: Final = counter(
    "orgstream_entries_received_total", "Entries read by a stage, redeliveries included.", _STAGE
)
ENTRIES_HANDLED: Final = counter(
    "orgstream_entries_handled_total", "Entries that a stage gave an outcome.", _STAGE, _OUTCOME
)
ENTRIES_EMITTED: Final = counter(
    "orgstream_entries_emitted_total",
    "Items that a stage handed to the next; one entry may give several.",
    _STAGE,
)
ENTRIES_IN_PROGRESS: Final = gauge(
    "orgstream_entries_in_progress", "Entries read and not yet acknowledged, in this process.", _STAGE
)
BATCH_SECONDS: Final = histogram(
    "orgstream_batch_duration_seconds",
    "Time from the read of a batch to its acknowledgement.",
    _SECONDS,
    _STAGE,
)
BATCH_ENTRIES: Final = histogram("orgstream_batch_entries", "Entries of a batch.", _ENTRIES, _STAGE)
LAST_BATCH: Final = gauge(
    "orgstream_last_batch_timestamp_seconds", "When a stage last acknowledged a batch.", _STAGE
)

WRITES: Final = counter(
    "orgstream_writes_total", "Writes by what became of them in the target table.", _RULE, _TABLE, _RESULT
)
APPLY_SECONDS: Final = histogram(
    "orgstream_apply_duration_seconds", "Time of an apply transaction.", _SECONDS
)
LATENCY_SECONDS: Final = histogram(
    "orgstream_end_to_end_latency_seconds",
    "Time from commit at the source to commit at the target.",
    _LATENCY,
    _RULE,
)
WATERMARK: Final = gauge(
    "orgstream_watermark_timestamp_seconds",
    "Capture time up to which every change took effect, was skipped, or was set aside.",
    looked_up=True,
)
BACKFILLED_ROWS: Final = counter("orgstream_backfilled_rows_total", "Rows sent by backfills.", _TABLE)

RETAINED_ENTRIES: Final = gauge(
    "orgstream_retained_entries", "Entries in the streams that a stage reads.", _STAGE, looked_up=True
)
STREAM_MEMORY: Final = gauge(
    "orgstream_stream_memory_bytes", "Memory of the streams that a stage reads.", _STAGE, looked_up=True
)
LAG_ENTRIES: Final = gauge(
    "orgstream_lag_entries",
    "Entries not yet delivered to a stage; absent where Redis cannot tell.",
    _STAGE,
    looked_up=True,
)
PENDING_ENTRIES: Final = gauge(
    "orgstream_pending_entries", "Entries delivered to a stage and not acknowledged.", _STAGE, looked_up=True
)
OLDEST_PENDING: Final = gauge(
    "orgstream_oldest_pending_timestamp_seconds",
    "When the oldest pending entry of a stage was captured.",
    _STAGE,
    looked_up=True,
)

FAILURES: Final = counter(
    "orgstream_failures_total", "Attempts that an outage ended, by what was away.", _STEP, _OUTAGE
)
RETRIES: Final = counter(
    "orgstream_retries_total", "Attempts made again, by what had been away.", _STEP, _OUTAGE
)
RECLAIMED: Final = counter(
    "orgstream_reclaimed_entries_total", "Pending entries taken over from consumers that are gone.", _STAGE
)
DEAD_LETTERS: Final = counter(
    "orgstream_dead_letters_total", "Dead letters written, by their cause.", _STAGE, _CAUSE
)
DEAD_LETTERS_NOW: Final = gauge(
    "orgstream_dead_letter_entries",
    "Dead letters that nobody has resolved, by their cause.",
    _CAUSE,
    looked_up=True,
)
HELD_CHANGES: Final = gauge(
    "orgstream_held_changes", "Changes held back by an earlier failure of their record.", looked_up=True
)
WAITING_CHANGES: Final = gauge(
    "orgstream_waiting_changes", "Changes that wait for a record they refer to.", looked_up=True
)

LEASES_HELD: Final = gauge("orgstream_leases_held", "Partitions that this process holds.", _STEP)
LEASE_LOSSES: Final = counter("orgstream_lease_losses_total", "Leases lost before they were released.", _STEP)

METRICS: Final[tuple[Metric, ...]] = tuple(
    value for value in list(globals().values()) if isinstance(value, Metric)
)
