"""`orgstream top`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import with_settings
from pipeline.signals import stop_on_signals

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.settings import Settings
    from pipeline.signals import Stop
    from pipeline.status import Status


@click.command()
@with_settings("database_url", "redis_url", "partitions", "lease_seconds")
@click.option(
    "--interval", type=click.FloatRange(0.1), default=2.0, show_default=True, help="Seconds between looks."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object on a line for each look.")
def command(settings: Settings, interval: float, as_json: bool) -> None:
    """Show the status live: lag, stages and rules with their rates, partitions and processes; until Ctrl-C.

    On something that is no terminal it prints one line for each look.
    """
    import msgspec  # noqa: PLC0415  # --help need not load the drivers

    from pipeline.observation import observe  # noqa: PLC0415
    from pipeline.status_text import summary  # noqa: PLC0415

    with stop_on_signals() as stop:
        if as_json or not sys.stdout.isatty():
            while True:
                status = observe(settings)
                click.echo(msgspec.json.encode(status).decode() if as_json else summary(status))
                if stop.wait(interval):
                    return
        _live(lambda: observe(settings), stop, interval)


def _live(look: Callable[[], Status], stop: Stop, interval: float) -> None:
    from rich.live import Live  # noqa: PLC0415

    from pipeline.status_text import picture  # noqa: PLC0415

    with Live(picture(look()), screen=True, auto_refresh=False) as live:
        while not stop.wait(interval):
            live.update(picture(look()), refresh=True)
