"""The panels of which there are many: a metric by one of its labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.grafana.panels import Query, graph
from deploy.grafana.queries import by_target_org, now, rate, series, total
from pipeline.metrics import standing

if TYPE_CHECKING:
    from deploy.grafana.panels import Built
    from pipeline.metrics.description import Metric


def gauges(
    title: str, meaning: str, unit: str, metric: Metric, label: str, *, stacked: bool = False
) -> Built:
    """A line of a looked-up gauge for each value of a label."""
    return graph(title, meaning, unit, Query(now(metric, label), _legend(label)), stacked=stacked)


def rates(
    title: str,
    meaning: str,
    unit: str,
    metric: Metric,
    label: str,
    *,
    matchers: tuple[str, ...] = (),
    stacked: bool = False,
) -> Built:
    """A line of what is counted per second for each value of a label."""
    query = Query(rate(metric, label, matchers=matchers), _legend(label))
    return graph(title, meaning, unit, query, stacked=stacked)


def living() -> Built:
    """The processes that live."""
    query = Query(total(standing.PROCESSES, "kind"), _legend("kind"))
    return graph("Processes that live", "By kind, as Postgres knows them.", "none", query, stacked=True)


def aside_by_org(title: str) -> Built:
    """What each target org lacks."""
    aside = by_target_org(f"max by (job, rule, reason) ({series(standing.SET_ASIDE)})")
    meaning = "What an org lacks until somebody settles it, or until a record comes that is waited for."
    query = Query(f"sum by (target_org) ({aside})", _legend("target_org"))
    return graph(title, meaning, "short", query)


def _legend(label: str) -> str:
    return f"{{{{{label}}}}}"
