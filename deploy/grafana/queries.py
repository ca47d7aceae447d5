"""PromQL over our metrics: names come from the catalog, and every query heeds the chosen deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.metrics import standing

if TYPE_CHECKING:
    from pipeline.metrics.description import Metric


def series(metric: Metric, *matchers: str, part: str = "") -> str:
    """The series of a metric in the chosen deployments; `part` is _bucket, _sum or _count of a histogram."""
    chosen = ",".join(('job=~"$job"', *matchers))
    return f"{metric.name}{part}{{{chosen}}}"


def now(metric: Metric, *by: str, matchers: tuple[str, ...] = ()) -> str:
    """A looked-up gauge: whoever serves it says the same, so the largest is it."""
    return f"max by ({', '.join(('job', *by))}) ({series(metric, *matchers)})"


def total(metric: Metric, *by: str, matchers: tuple[str, ...] = ()) -> str:
    """A looked-up gauge, added up over the labels that are not named in `by`."""
    labels = ", ".join(("job", *(label.name for label in metric.labels)))
    return f"sum by ({', '.join(('job', *by))}) (max by ({labels}) ({series(metric, *matchers)}))"


def age(*metrics: Metric, by: str = "") -> str:
    """Seconds since the earliest of these moments; 0 where there is none."""
    either = " or ".join(series(metric) for metric in metrics)
    labels = f"job, {by}" if by else "job"
    known = now(standing.PARTITIONS) if not by else ""
    zero = f" or 0 * {known}" if known else ""
    return f"clamp_min(time() - min by ({labels}) ({either}), 0){zero}"


def rate(metric: Metric, *by: str, matchers: tuple[str, ...] = ()) -> str:
    """Per second, the rates of all processes added up."""
    return f"sum by ({', '.join(by)}) (rate({series(metric, *matchers)}[$__rate_interval]))"


def quantile(share: float, metric: Metric, *by: str, matchers: tuple[str, ...] = ()) -> str:
    """The value that this share of a histogram's observations stays below."""
    buckets = series(metric, *matchers, part="_bucket")
    return (
        f"histogram_quantile({share}, sum by ({', '.join(('le', *by))}) (rate({buckets}[$__rate_interval])))"
    )


def by_target_org(expression: str) -> str:
    """An expression with `job` and `rule`, joined with the org that each rule writes."""
    info = f"max by (job, rule, target_org) ({series(standing.RULE_INFO)})"
    return f"{expression} * on (job, rule) group_left (target_org) {info}"
