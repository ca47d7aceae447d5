"""`orgstream drain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline.cli.options import with_settings
from pipeline.errors import FAILED
from pipeline.signals import stop_on_signals

if TYPE_CHECKING:
    from pipeline.settings import Settings


@click.command()
@with_settings(
    "database_url", "redis_url", "partitions", "lease_seconds", "retention", "relay_batch", "worker_batch"
)
def command(settings: Settings) -> None:
    """Replicate what is queued now, then exit: for a scheduler.

    Exit code 0 when nothing deliverable is left, 1 when dead letters were written. Beside a running relay
    and running workers it waits for them.
    """
    from pipeline.processes.drain import run_drain  # noqa: PLC0415  # --help need not load the drivers

    with stop_on_signals() as stop:
        letters = run_drain(settings, stop)
    if letters:
        click.echo(f"{letters} dead letters were written. See: orgstream status", err=True)
        raise click.exceptions.Exit(FAILED)
