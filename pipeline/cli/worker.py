"""`orgstream worker`."""

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
    "worker_batch",
    "worker_block_seconds",
    "metrics_host",
    "metrics_port",
)
@click.option(
    "--stages",
    default="filter,match,transform,apply",
    show_default=True,
    help="The stages this worker runs: an unbroken run of them.",
)
def command(settings: Settings, stages: str) -> None:
    """Carry changes through the stages, into the target tables. Any number may run."""
    from pipeline.processes.worker import run_worker  # noqa: PLC0415  # --help need not load the drivers

    with stop_on_signals() as stop:
        run_worker(settings, stages, stop)
