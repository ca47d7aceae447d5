"""`orgstream rules`: rules as code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec
import redis

from pipeline.cli.options import with_settings
from pipeline.errors import MISUSED, ConfigurationError, Failure, OrgstreamError
from pipeline.letters import resume as resumed
from pipeline.postgres.connection import connect, require_migrated
from pipeline.redis.connection import connect as connect_redis
from pipeline.rules import plan_text, store
from pipeline.rules.cache import LIVE_SECONDS, publish
from pipeline.rules.export import export as exported
from pipeline.rules.plan import COUNT_SECONDS
from pipeline.rules.plan import plan as planned
from pipeline.rules.validate import validate as validated

if TYPE_CHECKING:
    import psycopg

    from pipeline.rules.validate import Validation
    from pipeline.settings import Settings

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
        _print_json({"valid": validation.is_valid, "faults": _faults(validation)})
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
        candidate = validated(connection, path or settings.rules).require()
        found = planned(connection, candidate, count_seconds=count_seconds)
    if as_json:
        _print_json(found.as_data())
    else:
        click.echo("\n".join(plan_text.lines(found)))


@command.command()
@with_settings("database_url", "redis_url", "lock_timeout")
@_path
@_json
def apply(settings: Settings, path: Path | None, as_json: bool) -> None:
    """Make the rules at PATH live, install capture where they read, and tell running workers."""
    with connect(settings, _PURPOSE) as connection:
        require_migrated(connection)
        candidate = validated(connection, path or settings.rules).require()
        found = planned(connection, candidate, count_seconds=None)
        rule_set = store.apply(connection, candidate)
        unpublished = _publish(connection, settings)
    if as_json:
        _print_json({"version": rule_set.version, "published": unpublished is None, **found.as_data()})
    else:
        click.echo("\n".join(plan_text.lines(found)))
        click.echo(f"rule set {rule_set.version} is live")
    if unpublished is not None:
        click.echo(f"warning: {unpublished}; workers notice within {LIVE_SECONDS} s of its return", err=True)


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


@command.command()
@with_settings("database_url")
@click.argument("path", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@_json
def export(settings: Settings, path: Path | None, force: bool, as_json: bool) -> None:
    """Write the live rules as a rules file to PATH, or to the screen where there is none."""
    with connect(settings, _PURPOSE) as connection:
        require_migrated(connection)
        rule_set = store.live(connection)
    if rule_set is None:
        raise ConfigurationError("no rules are live yet. Apply some with: orgstream rules apply")
    text = _formatted(rule_set) if as_json else exported(rule_set)
    if path is None:
        click.echo(text, nl=False)
    else:
        _write(path, text, force=force)


def _write(path: Path, text: str, *, force: bool) -> None:
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ConfigurationError(f"{path} is there already. Name another file, or add --force.") from error
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}. Name a file in a folder of yours.") from error


def _publish(connection: psycopg.Connection, settings: Settings) -> str | None:
    """Tell Redis; why that failed, if it did: the rules are live all the same, as Postgres is asked then."""
    try:
        with connect_redis(settings) as client:
            publish(connection, client)
    except (OrgstreamError, redis.RedisError) as error:
        return f"the rules are live, but Redis was not told ({error})"
    return None


def _faults(validation: Validation) -> list[dict[str, Any]]:
    return [
        {
            "file": fault.place.file,
            "line": fault.place.line,
            "column": fault.place.column,
            "rule": fault.rule,
            "message": fault.message,
            "suggestion": fault.suggestion,
        }
        for fault in validation.faults
    ]


def _print_validation(validation: Validation) -> None:
    for fault in validation.faults:
        click.echo(str(fault))
    count = len(validation.faults)
    if count:
        click.echo(f"{count} fault{'s' * (count > 1)}", err=True)
    else:
        rules = len(validation.candidate.rules)
        click.echo(f"no fault in {rules} rule{'s' * (rules != 1)}")


def _print_json(document: object) -> None:
    click.echo(_formatted(document), nl=False)


def _formatted(document: object) -> str:
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"
