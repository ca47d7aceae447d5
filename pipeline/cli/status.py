"""`orgstream status`."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import with_settings

if TYPE_CHECKING:
    from pipeline.redis.streams import PartitionStreams
    from pipeline.settings import Settings
    from pipeline.status import Status


@click.command()
@with_settings("database_url", "redis_url", "partitions", "lease_seconds")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(settings: Settings, as_json: bool) -> None:
    """Show processes, partitions, lag, backlog and dead letters. Works while Redis is away."""
    import msgspec  # noqa: PLC0415  # --help need not load the drivers

    from pipeline.postgres.connection import connect, require_migrated  # noqa: PLC0415
    from pipeline.status import read_status  # noqa: PLC0415

    with connect(settings, "status") as connection, contextlib.ExitStack() as stack:
        require_migrated(connection)
        status = read_status(
            connection,
            _streams(settings, stack),
            lease_seconds=settings.lease_seconds,
            partitions=settings.partitions,
        )
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(status)).decode())
    else:
        _show(status)


def _streams(settings: Settings, stack: contextlib.ExitStack) -> PartitionStreams | None:
    from pipeline.errors import OrgstreamError  # noqa: PLC0415
    from pipeline.redis.connection import connect  # noqa: PLC0415
    from pipeline.redis.streams import PartitionStreams  # noqa: PLC0415

    try:
        return PartitionStreams(stack.enter_context(contextlib.closing(connect(settings))))
    except OrgstreamError as error:
        click.echo(f"warning: {error}", err=True)
        return None


def _show(status: Status) -> None:
    state = "caught up" if status.caught_up else f"{status.lag_seconds:.1f} s behind"
    click.echo(f"{state}; rule set {status.rules_version} with {status.rules} rules")
    pending = "unknown" if status.pending is None else status.pending
    click.echo(f"backlog {status.backlog}, pending {pending}, held {status.held}, dead {status.dead}")
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
    for rule, reason in status.paused_rules.items():
        click.echo(f"  rule {rule} is paused: {reason}. Once it is mended: orgstream rules resume {rule}")
    for group in status.dead_letters:
        click.echo(f"  dead letters: {group.count} of rule {group.rule or '(none)'}, cause {group.cause}")
