"""The demo's world: a folder, two servers, the orgs, the rules, and the processes that carry the changes."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final, Self

import msgspec
from psycopg import sql

from pipeline.demo.objects import OBJECTS, org_names
from pipeline.demo.rules_files import write_rules
from pipeline.embedded import EmbeddedPostgres, EmbeddedRedis
from pipeline.postgres.connection import connect
from pipeline.postgres.migrate import migrate
from pipeline.postgres.queries import load
from pipeline.processes.children import ChildEnded, Children
from pipeline.redis.connection import connect as connect_redis
from pipeline.rules import store
from pipeline.rules.cache import publish
from pipeline.rules.validate import validate
from pipeline.settings import Url

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import psycopg
    import redis

    from pipeline.settings import Settings
    from stages.rules.model import RuleSet

WORKERS: Final = 2
_TAIL_CHARACTERS: Final = 2_000


class World:
    """What runs: started by the methods in the order below, stopped in the reverse one."""

    def __init__(self, settings: Settings, folder: Path, orgs: int) -> None:
        self.folder = folder
        self.orgs = org_names(orgs)
        self._stack = contextlib.ExitStack()
        self._settings = settings
        self._children: Children | None = None
        self.settings: Settings
        self.connection: psycopg.Connection
        self.client: redis.Redis

    def start_servers(self) -> None:
        """Postgres and Redis, migrated. Raises ServerNotFound, ServerNotStarted."""
        postgres = self._stack.enter_context(EmbeddedPostgres(self.folder / "postgres"))
        redis = self._stack.enter_context(EmbeddedRedis(self.folder / "redis"))
        self.settings = msgspec.structs.replace(
            self._settings, database_url=Url(postgres.url), redis_url=Url(redis.url)
        )
        self.connection = self._stack.enter_context(contextlib.closing(connect(self.settings, "demo")))
        self.client = self._stack.enter_context(contextlib.closing(connect_redis(self.settings)))
        migrate(self.connection)
        self.connection.execute(load("demo")["install"])
        environment = {**os.environ, "DATABASE_URL": postgres.url, "REDIS_URL": redis.url}
        environment.pop("REDIS_TLS_URL", None)
        self._children = self._stack.enter_context(Children(environment))

    def start_process(self, name: str, *arguments: str) -> None:
        """A process of ours; its log goes into the folder."""
        if self._children is None:
            raise RuntimeError("the servers come first")
        with (self.folder / f"{name}.log").open("wb") as log:
            self._children.start(name, *arguments, log=log)

    def apply_rules(self) -> RuleSet:
        """Write the rules files, make them live, and have every table audited. Raises RulesInvalid."""
        rule_set = install_rules(self.connection, self.folder / "rules", self.orgs)
        with contextlib.closing(connect_redis(self.settings)) as client:
            publish(self.connection, client)
        return rule_set

    def enter(self, phase: str) -> None:
        """Tell the orgs what to do now."""
        self.connection.execute(load("demo")["set_phase"], {"phase": phase})

    def check(self) -> None:
        """Raises ChildEnded, with what it logged last, when a process has ended."""
        try:
            if self._children is not None:
                self._children.check()
        except ChildEnded as error:
            raise ChildEnded(f"{error}:\n{self._last_words(str(error))}") from error

    def _last_words(self, told: str) -> str:
        """The end of the log of the process that a message begins with."""
        log = next(log for log in self.folder.glob("*.log") if told.startswith(log.stem))
        return log.read_text(errors="replace")[-_TAIL_CHARACTERS:].strip() or "(nothing)"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def install_rules(connection: psycopg.Connection, folder: Path, orgs: Sequence[str]) -> RuleSet:
    """Write the rules of these orgs into a new folder, make them live, and have every table audited."""
    write_rules(folder, orgs)
    rule_set = store.apply(connection, validate(connection, folder).require())
    for org in orgs:
        for sobject in OBJECTS:
            table = sql.Identifier(org, sobject.name.lower())
            connection.execute(sql.SQL(load("demo")["audit"]).format(table=table))
    return rule_set
