"""`orgstream rules history`, `rollback` and `export`: the versions that were applied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pipeline.cli.options import with_settings
from pipeline.cli.rules_apply import apply_rules, formatted, print_json, print_plan
from pipeline.errors import ConfigurationError, Failure
from pipeline.person import person
from pipeline.postgres.connection import connect, require_migrated
from pipeline.rules import history_text, store
from pipeline.rules.export import export as exported
from pipeline.rules.history import earlier, revalidated, stored, written
from pipeline.rules.history import history as history_of
from pipeline.rules.plan import plan as planned

if TYPE_CHECKING:
    from pipeline.settings import Settings

_PURPOSE: Final = "rules"
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.command()
@with_settings("database_url")
@click.argument("rule", required=False)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many versions.")
@_json
def history(settings: Settings, rule: str | None, limit: int, as_json: bool) -> None:
    """List the versions of the rules, newest first: when, by whom, why, and what each changed.

    With RULE, only the versions that changed it, and how many writes the ledger holds of each.
    """
    with connect(settings, _PURPOSE) as connection:
        require_migrated(connection)
        versions = history_of(connection, limit=limit, rule=rule)
        ledger = written(connection, rule) if rule else None
    if rule and not versions:
        raise ConfigurationError(f"there never was a rule {rule}. See: orgstream rules history")
    if as_json:
        document = {"versions": [version.as_data() for version in versions]}
        print_json(document | ({"written": ledger} if rule else {}))
    else:
        click.echo("\n".join(history_text.lines(versions, ledger, rule=rule)))


@click.command()
@with_settings("database_url", "redis_url", "lock_timeout")
@click.argument("version", required=False, type=click.IntRange(min=1))
@click.option("--reason", help="Why, for the history.")
@click.option("--dry-run", is_flag=True, help="Only show the plan, with the records that it touches.")
@_json
def rollback(
    settings: Settings, version: int | None, reason: str | None, dry_run: bool, as_json: bool
) -> None:
    """Make the rules of an earlier VERSION live again, as a new version; by default the one before.

    They must be valid for the tables as they are now; where they are not, nothing is changed.
    """
    with connect(settings, _PURPOSE) as connection:
        require_migrated(connection)
        wanted = version or earlier(connection)
        candidate = revalidated(connection, wanted).require(
            f"for today's tables the rules of version {wanted}"
        )
        if dry_run:
            print_plan(planned(connection, candidate), as_json=as_json)
            return
        note = store.Note(person(), reason, wanted)
        apply_rules(connection, settings, candidate, note, as_json=as_json)


@click.command()
@with_settings("database_url")
@click.argument("path", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--version", type=click.IntRange(min=1), help="The rules of this version.")
@_json
def export(settings: Settings, path: Path | None, force: bool, version: int | None, as_json: bool) -> None:
    """Write the live rules as a rules file to PATH, or to the screen where there is none."""
    with connect(settings, _PURPOSE) as connection:
        require_migrated(connection)
        rule_set = stored(connection, version) if version else store.live(connection)
    if rule_set is None:
        raise ConfigurationError("no rules are live yet. Apply some with: orgstream rules apply")
    text = formatted(rule_set) if as_json else exported(rule_set)
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
