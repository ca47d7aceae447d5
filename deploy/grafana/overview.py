"""For whoever is called at night: is every org up to date, and where is it stuck?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.grafana.panels import Query, board, figure, graph, row
from deploy.grafana.queries import age, by_target_org, now, rate, series, total
from deploy.grafana.shapes import aside_by_org, gauges
from pipeline.metrics import catalog, standing

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from deploy.grafana.panels import Built


def overview() -> Dashboard:
    """The dashboard."""
    made = board("overview", "Orgstream: overview", "Is every org up to date, and if not, where is it stuck?")
    made = row(made, "Is every org up to date?", *_figures())
    made = row(made, "Org by org", *_orgs())
    return row(made, "Where is it stuck?", *_stages())


def _figures() -> tuple[Built, ...]:
    staffed = now(standing.PARTITIONS_HELD, "stage", matchers=('stage!="relay"',))
    oldest = age(standing.OUTBOX_OLDEST, standing.OLDEST_PENDING)
    return (
        figure(
            "Oldest change on its way",
            "Age of the oldest change that is captured and not applied. What is set aside does not count.",
            "s",
            Query(oldest, "age"),
            warn=10,
            bad=60,
        ),
        figure(
            "Backlog",
            "Changes that wait in Postgres for the relay.",
            "short",
            Query(now(standing.OUTBOX_PENDING), "changes"),
            warn=1_000,
            bad=100_000,
        ),
        figure(
            "Set aside",
            "Dead letters, changes held behind one, for approval or by paused rules: these need a person.",
            "short",
            Query(total(standing.SET_ASIDE, matchers=('reason!="waiting"',)), "changes"),
            warn=1,
            bad=100,
        ),
        figure(
            "Active relay",
            "1 while a relay holds its lease. Without one, changes stay in Postgres.",
            "none",
            Query(now(standing.PARTITIONS_HELD, matchers=('stage="relay"',)), "relay"),
            warn=1,
            bad=0,
        ),
        figure(
            "Partitions without a worker",
            "Of the stage that lacks most. Their changes wait in Redis.",
            "none",
            Query(f"{now(standing.PARTITIONS)} - min by (job) ({staffed})", "partitions"),
            warn=1,
            bad=1,
        ),
        figure(
            "Servers that answer",
            "Postgres and Redis: 2 is both.",
            "none",
            Query(total(standing.SERVER_UP), "servers"),
            warn=2,
            bad=0,
        ),
    )


def _orgs() -> tuple[Built, ...]:
    writes = by_target_org(rate(catalog.WRITES, "job", "rule"))
    buckets = series(catalog.LATENCY_SECONDS, part="_bucket")
    latency = by_target_org(f"sum by (job, rule, le) (rate({buckets}[$__rate_interval]))")
    return (
        aside_by_org("Changes set aside, by target org"),
        graph(
            "Writes, by target org",
            "Rows written into each org's tables per second.",
            "wps",
            Query(f"sum by (target_org) ({writes})", "{{target_org}}"),
            stacked=True,
        ),
        graph(
            "Time to the target org, 99 of 100 changes",
            "From the commit at the source to the commit in the target org's table.",
            "s",
            Query(f"histogram_quantile(0.99, sum by (target_org, le) ({latency}))", "{{target_org}}"),
        ),
        gauges(
            "Heroku Connect: rows to be sent",
            "Rows of each org's trigger log that are not in Salesforce yet.",
            "short",
            standing.CONNECT_PENDING,
            "org",
        ),
        gauges(
            "Heroku Connect: rows that failed",
            "Rows of each org's trigger log that Salesforce refused within the last hour.",
            "short",
            standing.CONNECT_FAILED,
            "org",
        ),
        gauges(
            "Written, and not in Salesforce yet",
            "What rules wrote for each org and Salesforce has not answered, in entries of its trigger log.",
            "short",
            standing.PENDING_DELIVERIES,
            "org",
        ),
        graph(
            "Answers of Salesforce",
            "Per second, what became of the entries of the trigger logs that our writes made.",
            "ops",
            Query(rate(catalog.DELIVERIES, "org", "outcome"), "{{org}}: {{outcome}}"),
        ),
        gauges(
            "Records that Salesforce refuses",
            "Records of each org with a dead letter of cause delivery: it was not accepted since.",
            "short",
            standing.REFUSED_RECORDS,
            "org",
        ),
        gauges(
            "Tables that are not captured",
            "1 for a table that lacks a capture trigger or has one disabled: its changes are lost to us.",
            "none",
            standing.BROKEN_CAPTURES,
            "table",
        ),
    )


def _stages() -> tuple[Built, ...]:
    return (
        graph(
            "Captured, relayed, written",
            "Changes per second. Where captured stays above the others, they fall behind.",
            "cps",
            Query(
                f"sum(max by (job) (rate({series(standing.CAPTURED_CHANGES)}[$__rate_interval])))", "captured"
            ),
            Query(f"sum(rate({series(catalog.RELAYED_CHANGES)}[$__rate_interval]))", "relayed"),
            Query(f"sum(rate({series(catalog.WRITES)}[$__rate_interval]))", "written"),
        ),
        gauges(
            "Waiting before each stage",
            "Entries in Redis not yet delivered to the stage. The first where they pile up is the slow one.",
            "short",
            standing.LAG_ENTRIES,
            "stage",
        ),
        gauges(
            "In the hands of each stage",
            "Entries delivered and not acknowledged. Steady and never zero: a worker is stuck.",
            "short",
            standing.PENDING_ENTRIES,
            "stage",
        ),
    )
