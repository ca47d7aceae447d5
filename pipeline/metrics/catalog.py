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
KINDS: Final = ("relay", "worker", "web", "drain")
SERVERS: Final = ("postgres", "redis")
REASONS: Final = ("dead", "held", "paused")  # why a change is set aside

_STAGE: Final = Label("stage", STAGES)
_STEP: Final = Label("stage", ("relay", *STAGES))  # where the relay counts as one
_OUTCOME: Final = Label("outcome", OUTCOMES)
_RESULT: Final = Label("result", RESULTS)
_CAUSE: Final = Label("error", tuple(Cause))
OUTAGES: Final = ("postgres", "redis", "lease")
_OUTAGE: Final = Label("error", OUTAGES)
_RULE: Final = Label("rule")
_TABLE: Final = Label("table")
_ORG: Final = Label("org")
_KIND: Final = Label("kind", KINDS)
_SERVER: Final = Label("server", SERVERS)
_REASON: Final = Label("reason", REASONS)
_RELATION: Final = Label("relation")

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

SERVER_UP: Final = gauge(
    "orgstream_up", "1 where a server answered just now, 0 where not.", _SERVER, looked_up=True
)
PROCESSES: Final = gauge(
    "orgstream_processes", "Processes that said within two leases that they live.", _KIND, looked_up=True
)
PROCESS_INFO: Final = gauge(
    "orgstream_process_info",
    "Always 1; which process the name stands for that `web` marks its metrics with.",
    Label("process"),
    _KIND,
    Label("host"),
    Label("stages"),
    looked_up=True,
)
PARTITIONS: Final = gauge("orgstream_partitions", "Partitions there are, of each stage.", looked_up=True)
PARTITIONS_HELD: Final = gauge(
    "orgstream_partitions_held",
    "Partitions with a living holder; the relay has one.",
    _STEP,
    looked_up=True,
)
BROKEN_CAPTURES: Final = gauge(
    "orgstream_broken_captures",
    "1 for a captured table that lacks a capture trigger, or has one disabled.",
    _TABLE,
    looked_up=True,
)
RULE_INFO: Final = gauge(
    "orgstream_rule_info",
    "Always 1; the labels tell which orgs a live rule reads and writes.",
    _RULE,
    Label("source_org"),
    Label("target_org"),
    looked_up=True,
)
SET_ASIDE: Final = gauge(
    "orgstream_set_aside_changes",
    "Changes set aside under a rule: dead letters, held behind one, or waiting for a paused rule.",
    _RULE,
    _REASON,
    looked_up=True,
)
OLDEST_HELD: Final = gauge(
    "orgstream_oldest_held_timestamp_seconds",
    "Since when the first of the held changes waits.",
    looked_up=True,
)
PAUSED_RULES: Final = gauge(
    "orgstream_paused_rules", "Rules that were paused and wait to be resumed.", looked_up=True
)

STREAM_MEMORY_LIMIT: Final = gauge(
    "orgstream_stream_memory_limit_bytes",
    "Memory of all streams together at which the relay stops.",
    looked_up=True,
)
REDIS_MEMORY: Final = gauge(
    "orgstream_redis_memory_bytes", "Memory that Redis uses for everything.", looked_up=True
)
REDIS_MEMORY_LIMIT: Final = gauge(
    "orgstream_redis_memory_limit_bytes", "The maxmemory of Redis; 0 where it has none.", looked_up=True
)
STORAGE: Final = gauge(
    "orgstream_storage_bytes",
    "Size of a table of Orgstream's own with its indexes, all partitions together.",
    _RELATION,
    looked_up=True,
)
STORAGE_ROWS: Final = gauge(
    "orgstream_storage_live_rows", "Its rows, as Postgres estimates them.", _RELATION, looked_up=True
)
STORAGE_DEAD_ROWS: Final = gauge(
    "orgstream_storage_dead_rows",
    "Its rows that are gone and not vacuumed yet, as Postgres estimates them.",
    _RELATION,
    looked_up=True,
)
OLDEST_KEPT: Final = gauge(
    "orgstream_oldest_kept_change_timestamp_seconds",
    "Capture time of the first change that change_queue still keeps.",
    looked_up=True,
)
RETENTION: Final = gauge(
    "orgstream_retention_seconds", "How long changes are to be kept after they took effect.", looked_up=True
)

CONNECT_FAILED: Final = gauge(
    "orgstream_connect_failed_rows",
    "Rows of the org's trigger log that failed within the last hour, counted up to 10,000.",
    _ORG,
    looked_up=True,
)
CONNECT_PENDING: Final = gauge(
    "orgstream_connect_pending_rows",
    "Rows of the org's trigger log that Heroku Connect has yet to send, counted up to 10,000.",
    _ORG,
    looked_up=True,
)
CONNECT_OLDEST: Final = gauge(
    "orgstream_connect_oldest_pending_timestamp_seconds",
    "Since when the first of them waits.",
    _ORG,
    looked_up=True,
)

METRICS: Final[tuple[Metric, ...]] = tuple(
    value for value in list(globals().values()) if isinstance(value, Metric)
)
