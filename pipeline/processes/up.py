"""`up`: everything in one terminal, on servers of yours or on embedded ones kept under `.orgstream/`."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from pipeline.embedded import EmbeddedPostgres, EmbeddedRedis
from pipeline.errors import RulesInvalid
from pipeline.postgres.connection import connect
from pipeline.postgres.migrate import migrate
from pipeline.processes.children import Children
from pipeline.redis.connection import connect as connect_redis
from pipeline.rules import store
from pipeline.rules.cache import publish
from pipeline.rules.validate import validate
from pipeline.settings import Url

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.signals import Stop

FOLDER: Final = Path(".orgstream")
_LOOK_SECONDS: Final = 0.3


def run_up(settings: Settings, stop: Stop, *, workers: int) -> None:
    """Run until told to stop. Raises ConfigurationError, Failure; ChildEnded when a process gives up."""
    with contextlib.ExitStack() as stack:
        settings = with_servers(settings, stack)
        _prepare(settings)
        environment = {
            **os.environ,
            "DATABASE_URL": str(settings.database_url),
            "REDIS_URL": str(settings.redis_url),
        }
        environment.pop("REDIS_TLS_URL", None)
        children = stack.enter_context(Children(environment))
        children.start("relay", "relay")
        for number in range(1, workers + 1):
            children.start(f"worker {number}", "worker")
        children.start("web", "web")
        click.echo(
            f"running: 1 relay, {workers} worker(s), web. Another terminal: orgstream status. Ctrl-C ends it."
        )
        while not stop.wait(_LOOK_SECONDS):
            children.check()


def with_servers(settings: Settings, stack: contextlib.ExitStack, folder: Path = FOLDER) -> Settings:
    """The settings with a server behind each URL: where one is unset, an embedded one lives on `stack`."""
    if settings.database_url is None:
        postgres = stack.enter_context(EmbeddedPostgres(folder / "postgres"))
        settings = msgspec.structs.replace(settings, database_url=Url(postgres.url))
        click.echo(f"embedded Postgres: DATABASE_URL={postgres.url}")
    if settings.redis_url is None:
        redis = stack.enter_context(EmbeddedRedis(folder / "redis"))
        settings = msgspec.structs.replace(settings, redis_url=Url(redis.url))
        click.echo(f"embedded Redis:    REDIS_URL={redis.url}")
    return settings


def _prepare(settings: Settings) -> None:
    with connect(settings, "up") as connection:
        applied = migrate(connection)
        if applied:
            click.echo(f"migrated: {', '.join(applied)}")
        if not settings.rules.exists():
            click.echo(f"no rules yet: write {settings.rules}, then run: orgstream rules apply")
            return
        try:
            candidate = validate(connection, settings.rules).require()
        except RulesInvalid as error:  # the tables may not be there yet, and the server is only now
            click.echo(f"{error}\nthese rules are not applied. Mend that, then run: orgstream rules apply")
            return
        rule_set = store.apply(connection, candidate)
        with contextlib.closing(connect_redis(settings)) as client:
            publish(connection, client)
    click.echo(f"rule set {rule_set.version} from {settings.rules} is live")
