"""`orgstream web`."""

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
    "port",
    "metrics_host",
    "metrics_port",
    "partitions",
    "lease_seconds",
    "stream_max_bytes",
    "retention",
)
def command(settings: Settings) -> None:
    """Serve everyone's metrics (/metrics), the status (/status.json), /healthz and /readyz."""
    from pipeline.processes.web import run_web  # noqa: PLC0415  # --help need not load the drivers

    with stop_on_signals() as stop:
        run_web(settings, stop)
