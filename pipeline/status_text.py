"""The status for people: one line for logs, and a picture for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from stages.reject import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from pipeline.status import Status

_MOST_RULES: Final = 20
_RIGHT: Final = frozenset(
    {
        "per second",
        "lag",
        "pending",
        "held",
        "dead",
        "paused",
        "waiting",
        "approval",
        "partitions",
        "up",
        "memory",
        "undelivered",
        "for",
        "refused",
    }
)


def summary(status: Status) -> str:
    """All that matters in one line."""
    state = "caught up" if status.caught_up else f"{status.lag_seconds:.1f} s behind"
    applied = sum(rule.per_second for rule in status.by_rule)
    pending = "unknown" if status.pending is None else f"{status.pending:,}"
    return (
        f"{state}: backlog {status.backlog:,}, pending {pending}, {applied:,.0f} writes/s, "
        f"held {status.held:,}, waiting {status.waiting:,}, dead {status.dead:,}"
    )


def picture(status: Status) -> RenderableType:
    """Everything, the worst first."""
    return Group(
        Text(summary(status), style="bold" if status.caught_up else "bold yellow"),
        "",
        *_warnings(status),
        _stages(status),
        "",
        _rules(status),
        "",
        *_deliveries(status),
        _processes(status),
    )


def _warnings(status: Status) -> Iterable[Text]:
    alone = [str(p.partition) for p in status.partitions if p.holder is None]
    if alone:
        yield Text(f"nobody applies partitions {', '.join(alone)}", style="red")
    for rule, reason in status.paused_rules.items():
        yield Text(f"rule {rule} is paused: {reason}", style="red")
    for group in status.dead_letters:
        if group.cause == Cause.MASS_DELETE:
            yield Text(f"rule {group.rule}: a mass delete waits for approval", style="red")
    if status.pending is None:
        yield Text("Redis does not answer", style="red")


def _stages(status: Status) -> Table:
    table = _table("stage", "partitions", "per second", "lag", "pending")
    for stage in status.stages:
        held = f"{stage.partitions_held} of {stage.partitions}"
        table.add_row(
            stage.stage,
            held,
            f"{stage.per_second:,.1f}",
            f"{stage.lag:,}",
            f"{stage.pending:,}",
            style="red" if stage.partitions_held < stage.partitions and stage.lag else "",
        )
    return table


def _rules(status: Status) -> Table:
    table = _table("rule", "from", "to", "per second", "dead", "held", "approval", "paused", "waiting")
    rules = sorted(status.by_rule, key=lambda rule: (-rule.aside, -rule.per_second, rule.rule))
    for rule in rules[:_MOST_RULES]:
        counts = (rule.dead, rule.held, rule.approval, rule.paused, rule.waiting)
        numbers = (f"{rule.per_second:,.1f}", *(f"{count:,}" for count in counts))
        style = "red" if rule.aside > rule.waiting else ""
        table.add_row(rule.rule, rule.source, rule.target, *numbers, style=style)
    if len(rules) > _MOST_RULES:
        table.add_row(f"and {len(rules) - _MOST_RULES} more", style="dim")
    return table


def _deliveries(status: Status) -> Iterable[RenderableType]:
    """What Salesforce has yet to answer; nothing where no rule writes through Heroku Connect."""
    if not status.deliveries:
        return
    table = _table("org behind Heroku Connect", "undelivered", "for", "refused")
    for org in status.deliveries:
        oldest = "" if org.oldest_seconds is None else f"{org.oldest_seconds:,.0f} s"
        table.add_row(
            org.org,
            f"{org.pending:,}",
            oldest,
            f"{org.refused:,}",
            style="red" if org.refused else "",
        )
    yield table
    yield ""


def _processes(status: Status) -> Table:
    table = _table("process", "id", "stages", "partitions", "memory", "up", "metrics")
    for process in status.processes:
        memory = "" if process.memory_bytes is None else f"{process.memory_bytes / 2**20:,.0f} MiB"
        table.add_row(
            process.name or process.kind,
            process.id,
            ",".join(process.stages),
            str(process.partitions),
            memory,
            f"{process.uptime_seconds:,.0f} s",
            process.metrics_address or "",
        )
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in headings:
        table.add_column(heading, justify="right" if heading in _RIGHT else "left")
    return table
