"""`orgstream migrate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline.cli.options import with_settings

if TYPE_CHECKING:
    from pipeline.settings import Settings


@click.command()
@with_settings("database_url")
def command(settings: Settings) -> None:
    """Create or upgrade the orgstream schema. Safe to run twice, and by two at once."""
    from pipeline.postgres.connection import connect  # noqa: PLC0415  # --help need not load the driver
    from pipeline.postgres.migrate import migrate  # noqa: PLC0415

    with connect(settings, "migrate") as connection:
        applied = migrate(connection)
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("the orgstream schema is up to date")
