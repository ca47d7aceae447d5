"""`orgstream explain`."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from pipeline.cli.options import with_settings

if TYPE_CHECKING:
    import psycopg

    from pipeline.settings import Settings
    from stages.rules.model import RuleSet


@click.command()
@with_settings("database_url")
@click.argument("rule")
@click.option("--key", help="The record: its identity, or a JSON object of columns of its table.")
@click.option(
    "--record",
    type=click.File("rb"),
    help="A file with a record as JSON, or with its `before` and `after`. - is stdin.",
)
@click.option(
    "--rules",
    "path",
    type=click.Path(path_type=Path),
    help="Explain the rule as this file or folder has it, not as it is live.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    settings: Settings,
    rule: str,
    *,
    key: str | None,
    record: IO[bytes] | None,
    path: Path | None,
    as_json: bool,
) -> None:
    """Show what RULE makes of one real record, step by step, down to the statement. Writes nothing.

    With --key it is the record's last captured change, or the record as it stands where the queue has none.
    What is printed holds the record's values, which are people's data.
    """
    import msgspec  # noqa: PLC0415  # --help need not load the drivers

    from pipeline.explain import subject, text  # noqa: PLC0415
    from pipeline.explain.explanation import explain_rule  # noqa: PLC0415
    from pipeline.postgres.connection import connect, require_migrated  # noqa: PLC0415

    if (key is None) == (record is None):
        raise click.UsageError("Say which record: either --key or --record.")
    with connect(settings, "explain") as connection:
        require_migrated(connection)
        rule_set = _rule_set(connection, path)
        if record is not None:
            document, said = record.read(), getattr(record, "name", "stdin")
            find = functools.partial(subject.by_document, document=document, said=said)
        else:
            find = functools.partial(subject.by_key, key=key or "")
        found = explain_rule(connection, rule_set, rule, find)
    if as_json:
        encoder = msgspec.json.Encoder(decimal_format="number")
        click.echo(msgspec.json.format(encoder.encode(found.as_data())).decode())
    else:
        click.echo("\n".join(text.lines(found)))


def _rule_set(connection: psycopg.Connection, path: Path | None) -> RuleSet:
    from pipeline.errors import ConfigurationError  # noqa: PLC0415
    from pipeline.rules import store  # noqa: PLC0415
    from pipeline.rules.validate import validate  # noqa: PLC0415

    if path is not None:
        return store.as_applied(connection, validate(connection, path).require())
    rule_set = store.live(connection)
    if rule_set is None:
        raise ConfigurationError(
            "no rules are live yet. Name a file with --rules, or run: orgstream rules apply"
        )
    return rule_set
