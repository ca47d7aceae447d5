"""`orgstream up`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline.cli.options import with_settings
from pipeline.cli.workers import with_workers
from pipeline.signals import stop_on_signals

if TYPE_CHECKING:
    from pipeline.settings import Settings


@click.command()
@with_settings("database_url", "redis_url", "rules")
@with_workers
def command(settings: Settings, workers: int) -> None:
    """Run relay and workers in one terminal, on embedded servers (.orgstream/) where no URL is set."""
    from pipeline.processes.up import run_up  # noqa: PLC0415  # --help need not load the drivers

    with stop_on_signals() as stop:
        run_up(settings, stop, workers=workers)
