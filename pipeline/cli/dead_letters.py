"""`orgstream dead-letters`: what could not be applied, and settling it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click
import msgspec

from pipeline.cli.options import with_settings
from pipeline.errors import ConfigurationError
from pipeline.letters import LetterView, Selection, request, select
from pipeline.postgres.connection import connect, require_migrated

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.settings import Settings


def _selecting(function: Callable[..., None]) -> Callable[..., None]:
    """The options that say which letters are meant."""

    @click.option("--id", "ids", type=int, multiple=True, help="The letter's number; may be given often.")
    @click.option("--rule", help="Of this rule.")
    @click.option("--table", help="Of this source table, as org.table.")
    @click.option("--key", help="Of this record: its identity as a JSON object.")
    @click.option("--cause", help="With this cause.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @functools.wraps(function)
    def run(settings: Settings, **options: Any) -> None:
        names = ("ids", "rule", "table", "key", "cause")
        selection = Selection(**{name: options.pop(name) for name in names})
        function(settings, selection, **options)

    return run


@click.group()
def command() -> None:
    """Changes that could not be applied: list them, and have them retried or skipped."""


@command.command("list")
@with_settings("database_url")
@_selecting
def list_(settings: Settings, selection: Selection, as_json: bool) -> None:
    """List open letters, each with the later changes of its record that wait behind it."""
    _print(_select(settings, selection), as_json=as_json)


@command.command()
@with_settings("database_url")
@_selecting
@click.option("--all", "everything", is_flag=True, help="Every open letter.")
@click.option("--reason", default="retried", show_default=True, help="For the record.")
def retry(settings: Settings, selection: Selection, as_json: bool, everything: bool, reason: str) -> None:
    """Have letters tried again by today's rules, and what waits behind them in its order."""
    _request(settings, selection, "retry", reason, as_json=as_json, everything=everything)


@command.command()
@with_settings("database_url")
@_selecting
@click.option("--all", "everything", is_flag=True, help="Every open letter.")
@click.option("--reason", required=True, help="Why, for the record.")
def skip(settings: Settings, selection: Selection, as_json: bool, everything: bool, reason: str) -> None:
    """Give letters up, and let what waits behind them go on."""
    _request(settings, selection, "skip", reason, as_json=as_json, everything=everything)


def _request(
    settings: Settings, selection: Selection, what: str, reason: str, *, as_json: bool, everything: bool
) -> None:
    if selection == Selection() and not everything:
        raise ConfigurationError(
            f"dead-letters {what}: say which, by --id, --rule, --table, --key or --cause, or --all."
        )
    letters = _select(settings, selection, then=what, reason=reason)
    if as_json:
        _print(letters, as_json=True)
    else:
        click.echo(f"asked for {len(letters)} letters: {what}; the workers that hold their partitions do it")


def _select(
    settings: Settings, selection: Selection, *, then: str | None = None, reason: str = ""
) -> list[LetterView]:
    with connect(settings, "dead-letters") as connection:
        require_migrated(connection)
        letters = select(connection, selection)
        if then is not None and letters:
            request(connection, letters, then, reason)
    return letters


def _print(letters: list[LetterView], *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"dead_letters": letters})).decode())
        return
    for letter in letters:
        state = f", {letter.requested} asked for" if letter.requested else ""
        click.echo(
            f"{letter.id}  {letter.source_table} {letter.key}  rule {letter.rule or '(none)'}  "
            f"{letter.cause} {letter.sqlstate or ''}  {letter.held} held{state}\n    {letter.message}"
        )
    if not letters:
        click.echo("no open dead letters")
