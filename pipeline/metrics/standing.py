"""The metrics that are looked up in the servers: how the whole pipeline stands, whoever looks."""

from __future__ import annotations

from typing import Final

from pipeline.metrics import labels
from pipeline.metrics.description import Label, Metric, counter, gauge

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
WATERMARK: Final = gauge(
    "orgstream_watermark_timestamp_seconds",
    "Capture time up to which every change took effect, was skipped, or was set aside.",
    looked_up=True,
)
RETAINED_ENTRIES: Final = gauge(
    "orgstream_retained_entries", "Entries in the streams that a stage reads.", labels.STAGE, looked_up=True
)
STREAM_MEMORY: Final = gauge(
    "orgstream_stream_memory_bytes", "Memory of the streams that a stage reads.", labels.STAGE, looked_up=True
)
LAG_ENTRIES: Final = gauge(
    "orgstream_lag_entries",
    "Entries not yet delivered to a stage; absent where Redis cannot tell.",
    labels.STAGE,
    looked_up=True,
)
PENDING_ENTRIES: Final = gauge(
    "orgstream_pending_entries",
    "Entries delivered to a stage and not acknowledged.",
    labels.STAGE,
    looked_up=True,
)
OLDEST_PENDING: Final = gauge(
    "orgstream_oldest_pending_timestamp_seconds",
    "When the oldest pending entry of a stage was captured.",
    labels.STAGE,
    looked_up=True,
)
DEAD_LETTERS_NOW: Final = gauge(
    "orgstream_dead_letter_entries",
    "Dead letters that nobody has resolved, by their cause.",
    labels.CAUSE,
    looked_up=True,
)
HELD_CHANGES: Final = gauge(
    "orgstream_held_changes",
    "Changes held back: by an earlier failure or wait of their record, for approval, or by a paused rule.",
    looked_up=True,
)
WAITING_CHANGES: Final = gauge(
    "orgstream_waiting_changes", "Changes that wait for a record they refer to.", looked_up=True
)
SERVER_UP: Final = gauge(
    "orgstream_up", "1 where a server answered just now, 0 where not.", labels.SERVER, looked_up=True
)
PROCESSES: Final = gauge(
    "orgstream_processes",
    "Processes that said within two leases that they live.",
    labels.KIND,
    looked_up=True,
)
PROCESS_INFO: Final = gauge(
    "orgstream_process_info",
    "Always 1; which process the name stands for that `web` marks its metrics with.",
    Label("process"),
    labels.KIND,
    Label("host"),
    Label("stages"),
    looked_up=True,
)
PARTITIONS: Final = gauge("orgstream_partitions", "Partitions there are, of each stage.", looked_up=True)
PARTITIONS_HELD: Final = gauge(
    "orgstream_partitions_held",
    "Partitions with a living holder; the relay has one.",
    labels.STEP,
    looked_up=True,
)
BROKEN_CAPTURES: Final = gauge(
    "orgstream_broken_captures",
    "1 for a captured table that lacks a capture trigger, or has one disabled.",
    labels.TABLE,
    looked_up=True,
)
RULE_INFO: Final = gauge(
    "orgstream_rule_info",
    "Always 1; the labels tell which orgs a live rule reads and writes.",
    labels.RULE,
    Label("source_org"),
    Label("target_org"),
    looked_up=True,
)
SET_ASIDE: Final = gauge(
    "orgstream_set_aside_changes",
    "Changes set aside under a rule: dead letters, held behind one or behind one that waits, for "
    "the approval of a mass delete or while the rule is paused, or waiting for a record they refer to.",
    labels.RULE,
    labels.REASON,
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
    labels.RELATION,
    looked_up=True,
)
STORAGE_ROWS: Final = gauge(
    "orgstream_storage_live_rows", "Its rows, as Postgres estimates them.", labels.RELATION, looked_up=True
)
STORAGE_DEAD_ROWS: Final = gauge(
    "orgstream_storage_dead_rows",
    "Its rows that are gone and not vacuumed yet, as Postgres estimates them.",
    labels.RELATION,
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
    labels.ORG,
    looked_up=True,
)
CONNECT_PENDING: Final = gauge(
    "orgstream_connect_pending_rows",
    "Rows of the org's trigger log that Heroku Connect has yet to send, counted up to 10,000.",
    labels.ORG,
    looked_up=True,
)
CONNECT_OLDEST: Final = gauge(
    "orgstream_connect_oldest_pending_timestamp_seconds",
    "Since when the first of them waits.",
    labels.ORG,
    looked_up=True,
)
PENDING_DELIVERIES: Final = gauge(
    "orgstream_pending_delivery_entries",
    "Entries of the org's trigger log that our writes made and Salesforce has not answered.",
    labels.ORG,
    looked_up=True,
)
OLDEST_DELIVERY: Final = gauge(
    "orgstream_oldest_pending_delivery_timestamp_seconds",
    "When the first of these was written.",
    labels.ORG,
    looked_up=True,
)
REFUSED_RECORDS: Final = gauge(
    "orgstream_refused_delivery_entries",
    "Records of which the org's Salesforce refused something and has not accepted it since.",
    labels.ORG,
    looked_up=True,
)

STANDING: Final[tuple[Metric, ...]] = tuple(
    value for value in list(globals().values()) if isinstance(value, Metric)
)
