"""`orgstream demo`."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import with_settings
from pipeline.errors import FAILED
from pipeline.signals import stop_on_signals

if TYPE_CHECKING:
    from pipeline.demo.run import Options
    from pipeline.settings import Settings
    from pipeline.signals import Stop


@click.command()
@with_settings()
@click.option(
    "--seconds", type=click.FloatRange(min=1), default=40, show_default=True, help="How long users edit."
)
@click.option(
    "--orgs", type=click.IntRange(2, 8), default=3, show_default=True, help="How many orgs, the hub included."
)
@click.option(
    "--rate",
    type=click.FloatRange(min=1),
    default=200,
    show_default=True,
    help="Edits/s of all users together.",
)
@click.option(
    "--seed",
    type=int,
    default=None,
    help="Makes the same data and the same users again; random unless given.",
)
@click.option("--json", "as_json", is_flag=True, help="Show nothing but one JSON object at the end.")
@click.option("--keep", is_flag=True, help="Keep the servers' folder, and tell how to look into it.")
@click.option("--only-orgs", is_flag=True, hidden=True)  # how the demo starts its own process of orgs
def command(
    settings: Settings,
    *,
    seconds: float,
    orgs: int,
    rate: float,
    seed: int | None,
    as_json: bool,
    keep: bool,
    only_orgs: bool,
) -> None:
    """Orgs with users at work, replicated live, then a proof of it. Needs no server; exit 0 only if proven.

    Starts Postgres and Redis of its own, simulated Salesforce orgs with a stand-in for Heroku Connect, the
    relay and two workers; in the end nothing is left of them.
    """
    from pipeline.demo.run import Options  # noqa: PLC0415  # --help need not load the drivers

    chosen = random.SystemRandom().randrange(10**6) if seed is None else seed
    options = Options(seconds=seconds, orgs=orgs, rate=rate, seed=chosen, keep=keep)
    with stop_on_signals() as stop:
        if only_orgs:
            _run_orgs(settings, options, stop)
        elif not _prove(settings, options, stop, as_json=as_json):
            raise click.exceptions.Exit(FAILED)


def _run_orgs(settings: Settings, options: Options, stop: Stop) -> None:
    from pipeline.demo.objects import org_names  # noqa: PLC0415
    from pipeline.demo.orgs import Plan, run_orgs  # noqa: PLC0415
    from pipeline.demo.run import RECORDS  # noqa: PLC0415

    run_orgs(settings, Plan(tuple(org_names(options.orgs)), options.seed, options.rate, RECORDS), stop)


def _prove(settings: Settings, options: Options, stop: Stop, *, as_json: bool) -> bool:
    """Run the demo and tell what came of it; whether it is proven."""
    import msgspec  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    from pipeline.demo.report import proof_table  # noqa: PLC0415
    from pipeline.demo.run import run_demo  # noqa: PLC0415
    from pipeline.demo.screen import LineScreen, LiveScreen, Screen  # noqa: PLC0415
    from pipeline.proof.telling import as_data, finding_lines  # noqa: PLC0415

    began = time.monotonic()
    console = Console(highlight=False)
    screen = Screen() if as_json else LiveScreen(console) if console.is_terminal else LineScreen(console)
    screen.introduce(options)
    verdict = run_demo(settings, options, stop, screen)
    seconds = time.monotonic() - began
    if as_json:
        for line in finding_lines(verdict):
            click.echo(line, err=True)
        click.echo(msgspec.json.encode(as_data(verdict, seed=options.seed, seconds=seconds)).decode())
    else:
        console.print(proof_table(verdict, seconds))
    return verdict.proven
