"""Applying rules from the command line, and printing plans: shared by the commands of `orgstream rules`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec
import redis

from pipeline.errors import OrgstreamError
from pipeline.redis.connection import connect as connect_redis
from pipeline.rules import plan_text, store
from pipeline.rules.cache import LIVE_SECONDS, publish
from pipeline.rules.plan import plan as planned

if TYPE_CHECKING:
    import psycopg

    from pipeline.rules.plan import Plan
    from pipeline.rules.validate import Validation
    from pipeline.settings import Settings
    from stages.rules.model import RuleSet


def apply_rules(
    connection: psycopg.Connection,
    settings: Settings,
    candidate: RuleSet,
    note: store.Note,
    *,
    as_json: bool,
) -> None:
    """Make a valid candidate live, tell Redis, and print what changed."""
    found = planned(connection, candidate, count_seconds=None)
    rule_set = store.apply(connection, candidate, note)
    unpublished = _publish(connection, settings)
    if as_json:
        print_json({"version": rule_set.version, "published": unpublished is None, **found.as_data()})
    else:
        print_plan(found, as_json=False)
        click.echo(f"rule set {rule_set.version} is live")
    if unpublished is not None:
        click.echo(f"warning: {unpublished}; workers notice within {LIVE_SECONDS} s of its return", err=True)


def _publish(connection: psycopg.Connection, settings: Settings) -> str | None:
    """Tell Redis; why that failed, if it did: the rules are live all the same, as Postgres is asked then."""
    try:
        with connect_redis(settings) as client:
            publish(connection, client)
    except (OrgstreamError, redis.RedisError) as error:
        return f"the rules are live, but Redis was not told ({error})"
    return None


def warn(validation: Validation) -> None:
    """Say on stderr what may become dead letters later on."""
    for fault in validation.warnings:
        click.echo(f"warning: {fault}", err=True)


def print_plan(found: Plan, *, as_json: bool) -> None:
    """Print a plan, for a person or as one JSON object."""
    if as_json:
        print_json(found.as_data())
    else:
        click.echo("\n".join(plan_text.lines(found)))


def print_json(document: object) -> None:
    """Print one JSON object."""
    click.echo(formatted(document), nl=False)


def formatted(document: object) -> str:
    """The JSON of a document, on many lines."""
    return msgspec.json.format(msgspec.json.encode(document)).decode() + "\n"
