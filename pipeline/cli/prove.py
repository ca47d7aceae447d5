"""`orgstream prove`."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import with_settings
from pipeline.errors import FAILED
from pipeline.signals import stop_on_signals

if TYPE_CHECKING:
    from pipeline.prove.options import Options
    from pipeline.settings import Settings


@click.command()
@with_settings()
@click.option(
    "--minutes", type=click.FloatRange(min=0.02), default=2, show_default=True, help="How long writers write."
)
@click.option("--seed", type=int, default=None, help="Draws the same load and faults; random unless given.")
@click.option(
    "--faults",
    default="all",
    show_default=True,
    metavar="NAMES",
    help="Kinds of faults, with commas between them; `none`. An unknown name lists them.",
)
@click.option(
    "--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes of each worker type."
)
@click.option("--split", is_flag=True, help="Run the four stages as process types of their own.")
@click.option(
    "--rate",
    type=click.FloatRange(min=1),
    default=1500,
    show_default=True,
    help="Changes/s that the writers aim at.",
)
@click.option("--json", "as_json", is_flag=True, help="Show nothing but one JSON object at the end.")
@click.option("--keep", is_flag=True, help="Keep the servers' folder, and tell how to look into it.")
@click.option("--only-writers", type=click.Path(path_type=Path), default=None, hidden=True)
def command(
    settings: Settings,
    *,
    minutes: float,
    seed: int | None,
    faults: str,
    workers: int,
    split: bool,
    rate: float,
    as_json: bool,
    keep: bool,
    only_writers: Path | None,
) -> None:
    """Concurrent writers and faults at random, then a proof that nothing was lost, repeated or reordered.

    Starts Postgres and Redis of its own ($PG_BINDIR and $REDIS_SERVER choose others), two relays and the
    workers; kills and stops all of them again and again. Exit 0 only if proven; nothing is left running.
    """
    if only_writers is not None:
        _write(settings, only_writers)
        return
    from pipeline.prove.faults import chosen  # noqa: PLC0415  # --help need not load the drivers
    from pipeline.prove.options import Options  # noqa: PLC0415

    options = Options(
        seconds=minutes * 60,
        seed=random.SystemRandom().randrange(10**6) if seed is None else seed,
        faults=chosen(faults),
        workers=workers,
        split=split,
        rate=rate,
        keep=keep,
    )
    if not _prove(options, as_json=as_json):
        raise click.exceptions.Exit(FAILED)


def _write(settings: Settings, folder: Path) -> None:
    """What the prover's own process of writers does."""
    from pipeline.prove.writers import run_writers  # noqa: PLC0415

    with stop_on_signals() as stop:
        run_writers(str(settings.require_database_url()), folder, stop)


def _prove(options: Options, *, as_json: bool) -> bool:
    """Prove, and tell what came of it; whether it is proven."""
    import msgspec  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    from pipeline.proof.telling import finding_lines  # noqa: PLC0415
    from pipeline.prove.run import run_prove  # noqa: PLC0415
    from pipeline.prove.verdict import prove_data, prove_table  # noqa: PLC0415

    began = time.monotonic()
    told_to_err = as_json or options.keep
    if not as_json:
        click.echo(f"Seed {options.seed}")
    with stop_on_signals() as stop:
        verdict = run_prove(
            options, stop, lambda text: None if as_json else click.echo(text, err=told_to_err)
        )
    seconds = time.monotonic() - began
    if as_json:
        for line in finding_lines(verdict):
            click.echo(line, err=True)
        click.echo(msgspec.json.encode(prove_data(verdict, seed=options.seed, seconds=seconds)).decode())
    else:
        Console(highlight=False).print(prove_table(verdict, seed=options.seed, seconds=seconds))
    return verdict.proven
