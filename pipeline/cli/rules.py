"""`orgstream rules`: rules as code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pipeline.cli.options import with_settings
from pipeline.cli.rules_apply import apply_rules, print_json, print_plan, warn
from pipeline.cli.rules_versions import export, history, rollback
from pipeline.errors import MISUSED, ConfigurationError
from pipeline.letters import resume as resumed
from pipeline.person import person
from pipeline.postgres.connection import connect, require_migrated
from pipeline.rules import store
from pipeline.rules.plan import COUNT_SECONDS
from pipeline.rules.plan import plan as planned
from pipeline.rules.validate import validate as validated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.rules.validate import Validation
    from pipeline.settings import Settings
    from stages.rules.place import Fault

_PURPOSE: Final = "rules"
_path = click.argument("path", required=False, type=click.Path(path_type=Path))
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
def command() -> None:
    """Rules as code: a file, or a folder of *.toml files, checked, planned and applied.

    PATH is orgstream.toml unless ORGSTREAM_RULES says otherwise. Nothing ever asks.
    """


@command.command()
@with_settings("database_url")
@_path
@_json
def validate(settings: Settings, path: Path | None, as_json: bool) -> None:
    """List every fault of the rules at PATH, with its file and line; exit code 2 if there is one."""
    with connect(settings, _PURPOSE) as connection:
        validation = validated(connection, path or settings.rules)
    if as_json:
        print_json(
            {
                "valid": validation.is_valid,
                "faults": _as_data(validation.faults),
                "warnings": _as_data(validation.warnings),
            }
        )
    else:
        _print_validation(validation)
    if not validation.is_valid:
        raise click.exceptions.Exit(MISUSED)


@command.command()
@with_settings("database_url")
@_path
@_json
@click.option(
    "--count-seconds",
    type=click.FloatRange(min=0.001),
    default=COUNT_SECONDS,
    show_default=True,
    help="How long the count of one rule's records may take.",
)
def plan(settings: Settings, path: Path | None, as_json: bool, count_seconds: float) -> None:
    """Show what applying the rules at PATH would change, and how many records each rule takes now."""
    with connect(settings, _PURPOSE) as connection:
        require_migrated(connection)
        validation = validated(connection, path or settings.rules)
        candidate = validation.require()
        found = planned(connection, candidate, count_seconds=count_seconds)
    warn(validation)
    print_plan(found, as_json=as_json)


@command.command()
@with_settings("database_url", "redis_url", "lock_timeout")
@_path
@click.option("--reason", help="Why, for the history.")
@_json
def apply(settings: Settings, path: Path | None, reason: str | None, as_json: bool) -> None:
    """Make the rules at PATH live, install capture where they read, and tell running workers."""
    with connect(settings, _PURPOSE) as connection:
        require_migrated(connection)
        validation = validated(connection, path or settings.rules)
        candidate = validation.require()
        warn(validation)
        apply_rules(connection, settings, candidate, store.Note(person(), reason), as_json=as_json)


@command.command()
@with_settings("database_url")
@click.argument("name")
def resume(settings: Settings, name: str) -> None:
    """Let a rule that was paused go on; what was held meanwhile goes first, in order."""
    with connect(settings, _PURPOSE) as connection:
        require_migrated(connection)
        if not resumed(connection, name):
            raise ConfigurationError(f"no rule {name} is paused. See: orgstream status")
    click.echo(f"{name} goes on")


for _versioned in (export, history, rollback):
    command.add_command(_versioned)


def _as_data(faults: Iterable[Fault]) -> list[dict[str, Any]]:
    return [
        {
            "file": fault.place.file,
            "line": fault.place.line,
            "column": fault.place.column,
            "rule": fault.rule,
            "message": fault.message,
            "suggestion": fault.suggestion,
        }
        for fault in faults
    ]


def _print_validation(validation: Validation) -> None:
    for fault in validation.faults:
        click.echo(str(fault))
    warn(validation)
    count = len(validation.faults)
    if count:
        click.echo(f"{count} fault{'s' * (count > 1)}", err=True)
    else:
        rules = len(validation.candidate.rules)
        click.echo(f"no fault in {rules} rule{'s' * (rules != 1)}")
