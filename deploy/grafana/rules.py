"""Org by org and rule by rule: what each writes, how fast, and what it set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.grafana.panels import Query, board, graph, row
from deploy.grafana.queries import quantile, rate, series
from deploy.grafana.shapes import aside_by_org, rates
from pipeline.metrics import catalog, standing

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from deploy.grafana.panels import Built

_RULE = ('rule=~"$rule"',)


def rules() -> Dashboard:
    """The dashboard."""
    made = board("rules", "Orgstream: orgs and rules", "What each rule writes, and sets aside.", rules=True)
    made = row(made, "Chosen target orgs", *_orgs())
    made = row(made, "Chosen rules", *_writes())
    return row(made, "Set aside", *_aside())


def _orgs() -> tuple[Built, ...]:
    chosen = series(standing.RULE_INFO, 'target_org=~"$org"')
    info = f"max by (job, rule, source_org, target_org) ({chosen})"
    writes = (
        f"{rate(catalog.WRITES, 'job', 'rule')} * on (job, rule) group_left (source_org, target_org) {info}"
    )
    return (
        graph(
            "Writes from org to org",
            "Rows per second, by where they come from and where they go.",
            "wps",
            Query(f"sum by (source_org, target_org) ({writes})", "{{source_org}} to {{target_org}}"),
            stacked=True,
            wide=12,
        ),
        graph(
            "Rules from org to org",
            "How many live rules there are.",
            "none",
            Query(f"count by (source_org, target_org) ({info})", "{{source_org}} to {{target_org}}"),
            wide=12,
        ),
    )


def _writes() -> tuple[Built, ...]:
    buckets = series(catalog.LATENCY_SECONDS, *_RULE, 'le="5.0"', part="_bucket")
    counts = series(catalog.LATENCY_SECONDS, *_RULE, part="_count")
    within, all_ = (f"sum by (rule) (rate({of}[$__rate_interval]))" for of in (buckets, counts))
    return (
        rates(
            "Writes, by rule",
            "Rows per second that each rule wrote.",
            "wps",
            catalog.WRITES,
            "rule",
            matchers=(*_RULE, 'result="applied"'),
        ),
        rates(
            "Writes, by result",
            "duplicate: the ledger had it already, and it was left out.",
            "wps",
            catalog.WRITES,
            "result",
            matchers=_RULE,
        ),
        rates(
            "Writes, by target table",
            "Rows per second written into each table.",
            "wps",
            catalog.WRITES,
            "table",
            matchers=_RULE,
        ),
        graph(
            "Time from commit to commit, half of the changes",
            "By rule. The oldest change of a batch stands for all of it.",
            "s",
            Query(quantile(0.5, catalog.LATENCY_SECONDS, "rule", matchers=_RULE), "{{rule}}"),
        ),
        graph(
            "Time from commit to commit, 99 of 100 changes",
            "By rule. The oldest change of a batch stands for all of it.",
            "s",
            Query(quantile(0.99, catalog.LATENCY_SECONDS, "rule", matchers=_RULE), "{{rule}}"),
        ),
        graph(
            "Share of changes within 5 s",
            "The objective is 99 %; the alert looks at the same.",
            "percentunit",
            Query(f"{within} / {all_}", "{{rule}}"),
        ),
    )


def _aside() -> tuple[Built, ...]:
    aside = series(standing.SET_ASIDE, *_RULE)
    return (
        graph(
            "Set aside, by rule",
            "Changes that a rule has not applied yet, for whatever reason.",
            "short",
            Query(f"sum by (rule) (max by (job, rule, reason) ({aside}))", "{{rule}}"),
        ),
        graph(
            "Set aside, by reason",
            "dead: could not be applied; held: behind one; approval: a mass delete; waiting: for a record.",
            "short",
            Query(f"sum by (reason) (max by (job, rule, reason) ({aside}))", "{{reason}}"),
        ),
        aside_by_org("Set aside, by target org"),
    )
