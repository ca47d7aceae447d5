"""The servers of a benchmark, the two orgs on them, and the rule between the two, applied as anyone would."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import psycopg
import redis

from pipeline.embedded import EmbeddedPostgres, EmbeddedRedis
from pipeline.embedded.process import short_folder
from pipeline.postgres.connection import connect
from pipeline.postgres.migrate import migrate
from pipeline.postgres.queries import load
from pipeline.redis.connection import connect as connect_redis
from pipeline.rules import store
from pipeline.rules.cache import publish
from pipeline.rules.validate import validate
from pipeline.settings import Settings, Url

if TYPE_CHECKING:
    from collections.abc import Iterator


# Durable as in production; room enough that no checkpoint falls into a measurement by itself.
POSTGRES: Final = {"wal_level": "logical", "fsync": "on", "synchronous_commit": "on", "max_wal_size": "16GB"}
_SERVER_FOLDERS: Final = ("postgres", "redis")


class World(msgspec.Struct):
    """Both servers, with a connection to each of the benchmark's own."""

    folder: Path
    postgres: EmbeddedPostgres
    redis_server: EmbeddedRedis
    settings: Settings  # with the URLs of these servers
    connection: psycopg.Connection
    client: redis.Redis

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the processes that work here."""
        kept = {name: value for name, value in os.environ.items() if name != "REDIS_TLS_URL"}
        return {**kept, "DATABASE_URL": self.postgres.url, "REDIS_URL": self.redis_server.url}

    def version_of_postgres(self) -> str:
        """As the server says it."""
        return self.connection.info.parameter_status("server_version") or "unknown"

    def version_of_redis(self) -> str:
        """As the server says it, with its name where it is not Redis itself."""
        info = self.client.info("server")
        name = str(info.get("server_name", "redis"))
        return f"{name} {info.get(f'{name}_version', info['redis_version'])}"


@contextlib.contextmanager
def world(settings: Settings) -> Iterator[World]:
    """Servers of their own with two orgs and one live rule; nothing of it is left afterwards."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(_folder())
        postgres = stack.enter_context(EmbeddedPostgres(folder / "postgres", settings=POSTGRES))
        server = stack.enter_context(EmbeddedRedis(folder / "redis"))
        settings = msgspec.structs.replace(
            settings, database_url=Url(postgres.url), redis_url=Url(server.url)
        )
        connection = stack.enter_context(contextlib.closing(connect(settings, "bench")))
        client = stack.enter_context(contextlib.closing(connect_redis(settings)))
        connection.execute(load("bench")["unhurried"])
        connection.execute(load("bench")["accounts"])
        connection.execute(load("bench")["target"])
        migrate(connection)
        with resources.as_file(resources.files("pipeline.bench") / "accounts.toml") as rules:
            store.apply(connection, validate(connection, rules).require())
        publish(connection, client)
        yield World(folder, postgres, server, settings, connection, client)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A folder for the servers' files, which a server run as another user can reach."""
    with tempfile.TemporaryDirectory(prefix="orgstream-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            yield folder
        finally:
            for purpose in _SERVER_FOLDERS:  # of their sockets
                shutil.rmtree(short_folder(purpose, folder / purpose), ignore_errors=True)
