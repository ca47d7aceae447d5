"""`orgstream bench`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline.cli.options import with_settings
from pipeline.cli.workers import with_workers
from pipeline.signals import stop_on_signals

if TYPE_CHECKING:
    from pipeline.settings import Settings


@click.command()
@with_settings("partitions", "relay_batch", "worker_batch")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--quick", is_flag=True, help="A tenth of everything: to try it, not to judge by.")
@click.option("--only", metavar="PART,...", help="Some of: drains, latency, takeover, writer, native.")
@with_workers
@click.option("--split", is_flag=True, help="Run the four stages in processes of their own.")
def command(
    settings: Settings, *, as_json: bool, quick: bool, only: str | None, workers: int, split: bool
) -> None:
    """Measure drains, latency, take-over, the writer's cost and memory, with native replication beside them.

    On servers of its own, which need `pip install 'orgstream[embedded]'`. Takes some minutes.
    """
    from pipeline.bench import run, table  # noqa: PLC0415  # --help need not load the drivers
    from pipeline.bench.sizes import Options, Sizes, parts_of  # noqa: PLC0415

    sizes = Sizes().tenth() if quick else Sizes()
    options = Options(sizes, parts_of(only), workers, split)
    with stop_on_signals() as stop:
        report = run.run(settings, options, stop, lambda line: click.echo(line, err=True))
    if report is None:
        raise click.Abort
    click.echo(report.encode() if as_json else table.render(report))
