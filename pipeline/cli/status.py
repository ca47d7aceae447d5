"""`orgstream status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline.cli.options import with_settings

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.status import Status


@click.command()
@with_settings("database_url", "redis_url", "partitions", "lease_seconds")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(settings: Settings, as_json: bool) -> None:
    """Show processes, partitions, rates, lag, backlog and dead letters. Works while Redis is away."""
    import msgspec  # noqa: PLC0415  # --help need not load the drivers

    from pipeline.observation import observe  # noqa: PLC0415

    status = observe(settings)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(status)).decode())
    else:
        _show(status)


def _show(status: Status) -> None:
    state = "caught up" if status.caught_up else f"{status.lag_seconds:.1f} s behind"
    click.echo(f"{state}; rule set {status.rules_version} with {status.rules} rules")
    pending = "unknown" if status.pending is None else status.pending
    click.echo(
        f"backlog {status.backlog}, pending {pending}, held {status.held}, "
        f"waiting {status.waiting}, dead {status.dead}"
    )
    for stage in status.stages:
        click.echo(
            f"  {stage.stage:9} {stage.partitions_held} of {stage.partitions} partitions held, "
            f"{stage.per_second:.1f}/s, lag {stage.lag}, pending {stage.pending}"
        )
    for process in status.processes:
        stages = f" {','.join(process.stages)}" if process.stages else ""
        click.echo(
            f"  {process.kind:7} {process.id}{stages}: {process.partitions} partitions, "
            f"up {process.uptime_seconds:.0f} s, metrics {process.metrics_address or 'none'}"
        )
    if not status.processes:
        click.echo("  no process is running. Start: orgstream relay, and orgstream worker")
    unheld = [str(p.partition) for p in status.partitions if p.holder is None]
    if unheld:
        click.echo(f"  nobody applies partitions {', '.join(unheld)}")
    for name, reason in status.paused_rules.items():
        click.echo(f"  rule {name} is paused: {reason}. Once it is mended: orgstream rules resume {name}")
    for rule in status.by_rule:
        if rule.per_second or rule.aside:
            click.echo(
                f"  rule {rule.rule}: {rule.per_second:.1f} writes/s, dead {rule.dead}, held {rule.held}, "
                f"waiting for approval {rule.approval}, for its pause to end {rule.paused}, "
                f"for a parent {rule.waiting}"
            )
    for group in status.dead_letters:
        click.echo(f"  dead letters: {group.count} of rule {group.rule or '(none)'}, cause {group.cause}")
