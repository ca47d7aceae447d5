"""The inside of the pipeline: stages, partitions, Redis, the queue and ledger in Postgres, processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.grafana.panels import Query, board, graph, row
from deploy.grafana.queries import age, now, quantile, rate, series
from deploy.grafana.shapes import gauges, living, rates
from pipeline.metrics import catalog, standing

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from deploy.grafana.panels import Built


def internals() -> Dashboard:
    """The dashboard."""
    made = board("internals", "Orgstream: inside the pipeline", "Stages, leases, Redis, Postgres, processes.")
    made = row(made, "Stages", *_stages())
    made = row(made, "Partitions and leases", *_leases())
    made = row(made, "Redis", *_redis())
    made = row(made, "Queue and ledger in Postgres", *_postgres())
    return row(made, "Processes", *_processes())


def _stages() -> tuple[Built, ...]:
    return (
        rates(
            "Entries handled, by stage",
            "What each stage gave an outcome per second.",
            "ops",
            catalog.ENTRIES_HANDLED,
            "stage",
        ),
        rates(
            "Outcomes",
            "emit: went on; skip: no rule wanted it; reject: a fault of its data.",
            "ops",
            catalog.ENTRIES_HANDLED,
            "outcome",
            stacked=True,
        ),
        graph(
            "Time of a batch",
            "From its read to its acknowledgement: half of the batches, and 99 of 100.",
            "s",
            Query(quantile(0.5, catalog.BATCH_SECONDS, "stage"), "{{stage}}, half"),
            Query(quantile(0.99, catalog.BATCH_SECONDS, "stage"), "{{stage}}, 99 %"),
        ),
        graph(
            "Entries of a batch",
            "The middle batch. Large batches mean that there is much to do.",
            "short",
            Query(quantile(0.5, catalog.BATCH_ENTRIES, "stage"), "{{stage}}"),
        ),
        graph(
            "Time of an apply transaction",
            "What Postgres takes for one batch of writes, ledger and position: half of them, and 99 of 100.",
            "s",
            Query(quantile(0.5, catalog.APPLY_SECONDS), "half"),
            Query(quantile(0.99, catalog.APPLY_SECONDS), "99 %"),
        ),
        rates(
            "Attempts that an outage ended",
            "By what was away: Postgres, Redis, or a lease that went to another process.",
            "ops",
            catalog.FAILURES,
            "error",
        ),
    )


def _leases() -> tuple[Built, ...]:
    return (
        graph(
            "Partitions with a holder, by stage",
            "All of them have to have one; the relay has one partition.",
            "none",
            Query(now(standing.PARTITIONS_HELD, "stage"), "{{stage}}"),
            Query(now(standing.PARTITIONS), "partitions there are"),
        ),
        graph(
            "Leases, by process",
            "How many partitions of how many stages each process holds.",
            "none",
            Query(f"sum by (process) ({series(catalog.LEASES_HELD)})", "{{process}}"),
            stacked=True,
        ),
        graph(
            "Leases lost, entries taken over",
            "Both belong to crashes and to deploys; at other times somebody is too slow for his lease.",
            "ops",
            Query(rate(catalog.LEASE_LOSSES), "leases lost"),
            Query(rate(catalog.RECLAIMED), "entries taken over"),
        ),
    )


def _redis() -> tuple[Built, ...]:
    return (
        graph(
            "Memory of Redis",
            "All that it uses, and its maxmemory (0: no limit).",
            "bytes",
            Query(now(standing.REDIS_MEMORY), "used"),
            Query(now(standing.REDIS_MEMORY_LIMIT), "maxmemory"),
        ),
        graph(
            "Memory of the streams",
            "By the stage that reads them. The relay stops where their sum reaches the limit.",
            "bytes",
            Query(now(standing.STREAM_MEMORY, "stage"), "before {{stage}}"),
            Query(now(standing.STREAM_MEMORY_LIMIT), "limit of all"),
        ),
        graph(
            "Entries in the streams",
            "By the stage that reads them, delivered or not.",
            "short",
            Query(now(standing.RETAINED_ENTRIES, "stage"), "before {{stage}}"),
            stacked=True,
        ),
    )


def _postgres() -> tuple[Built, ...]:
    return (
        gauges(
            "Size of the tables",
            "Orgstream's own tables with their indexes.",
            "bytes",
            standing.STORAGE,
            "relation",
            stacked=True,
        ),
        gauges(
            "Dead rows",
            "Rows that are gone and not vacuumed. They grow while an old transaction is open.",
            "short",
            standing.STORAGE_DEAD_ROWS,
            "relation",
        ),
        graph(
            "Age of the first change that is kept",
            "Beside it the retention, after which changes are deleted that took effect.",
            "s",
            Query(age(standing.OLDEST_KEPT), "age"),
            Query(now(standing.RETENTION), "retention"),
        ),
        graph(
            "Changes dropped",
            "Old changes per second that retention dropped with their ledger, a whole range at a time.",
            "cps",
            Query(f"sum(rate({series(catalog.DROPPED_CHANGES)}[$__rate_interval]))", "dropped"),
        ),
        gauges(
            "Rows",
            "Rows of Orgstream's own tables, as Postgres estimates them.",
            "short",
            standing.STORAGE_ROWS,
            "relation",
            stacked=True,
        ),
        graph(
            "Versions that run",
            "Processes by version: two at a time belong to a deploy.",
            "none",
            Query(f"count by (version) ({series(catalog.BUILD_INFO)})", "{{version}}"),
        ),
    )


def _processes() -> tuple[Built, ...]:
    memory = 'process_resident_memory_bytes{job=~"$job"}'
    cpu = 'process_cpu_seconds_total{job=~"$job"}'
    return (
        living(),
        graph(
            "Memory, by process",
            "What each process has in memory.",
            "bytes",
            Query(f"max by (process) ({memory})", "{{process}}"),
        ),
        graph(
            "Processors, by process",
            "1 is one processor in full use: more workers help where one stays there.",
            "none",
            Query(f"max by (process) (rate({cpu}[$__rate_interval]))", "{{process}}"),
        ),
    )
