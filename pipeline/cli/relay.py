"""`orgstream relay`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline.cli.options import with_settings
from pipeline.signals import stop_on_signals

if TYPE_CHECKING:
    from pipeline.settings import Settings


@click.command()
@with_settings(
    "database_url",
    "redis_url",
    "partitions",
    "lease_seconds",
    "stream_max_entries",
    "stream_max_bytes",
    "retention",
    "relay_batch",
    "relay_poll_seconds",
    "relay_idle_seconds",
    "metrics_host",
    "metrics_port",
)
def command(settings: Settings) -> None:
    """Publish captured changes into the streams. One relay is active; more stand by."""
    from pipeline.processes.relay import run_relay  # noqa: PLC0415  # --help need not load the drivers

    with stop_on_signals() as stop:
        run_relay(settings, stop)
