"""What runs for a proof: both servers, two orgs with a rule between them, the processes, and the writers."""

from __future__ import annotations

import contextlib
import os
import signal
from collections import deque
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from pipeline.embedded import EmbeddedPostgres, EmbeddedRedis
from pipeline.postgres.connection import connect
from pipeline.postgres.migrate import migrate
from pipeline.postgres.queries import load
from pipeline.processes.children import Children
from pipeline.prove.processes import Processes
from pipeline.prove.writers import Plan
from pipeline.redis.connection import connect as connect_redis
from pipeline.redis.connection import open_client
from pipeline.rules import store
from pipeline.rules.cache import publish
from pipeline.rules.validate import validate
from pipeline.settings import Settings
from pipeline.status import read_status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import psycopg

    from pipeline.prove.options import Options
    from pipeline.status import Status

WRITERS: Final = "writers"
#: Short, so that what is killed is soon replaced, and a pause soon lasts longer than a lease.
LEASE_SECONDS: Final = 2.0
_SAMPLE: Final = 500
_DEFAULTS: Final = {
    "ORGSTREAM_LEASE_SECONDS": f"{LEASE_SECONDS:g}s",
    "ORGSTREAM_WORKER_BLOCK_SECONDS": "200ms",
}


class Away(Exception):
    """Raised when the prover itself has taken the server away that would have to answer."""


class World:
    """What runs. The prover's own session and client are opened as they are needed, for both servers die."""

    def __init__(self, folder: Path, options: Options) -> None:
        self.folder = folder
        self.options = options
        self.away: set[str] = set()  # `postgres`, `redis`: stopped by us
        self.sample: deque[tuple[str, dict[bytes, bytes]]] = deque(maxlen=_SAMPLE)  # entries seen in streams
        self._session: psycopg.Connection | None = None
        with contextlib.ExitStack() as stack:
            self.postgres = stack.enter_context(EmbeddedPostgres(folder / "postgres"))
            self.redis = stack.enter_context(EmbeddedRedis(folder / "redis"))
            self.client = stack.enter_context(contextlib.closing(open_client(self.redis.url, timeout=2)))
            environment = {**_DEFAULTS, **os.environ}
            environment |= {"DATABASE_URL": self.postgres.url, "REDIS_URL": self.redis.url}
            environment.pop("REDIS_TLS_URL", None)
            self.settings = Settings.load(environment, {})
            # A suspended child would outlive us with any signal but this one.
            self._writers = stack.enter_context(Children(environment, orphaned=signal.SIGKILL))
            children = Children(environment, command=options.command, orphaned=signal.SIGKILL)
            self.processes = Processes(stack.enter_context(children), folder, options)
            self._stack = stack.pop_all()

    def prepare(self) -> None:
        """Make the orgs, and the rule between them live."""
        with connect(self.settings, "prove") as connection:
            migrate(connection)
            connection.execute(load("prove")["install"])
            connection.execute(load("prove")["make_slots"], {"slots": self.options.slots})
            with resources.as_file(resources.files("pipeline.prove") / "rules.toml") as rules:
                store.apply(connection, validate(connection, rules).require())
            with contextlib.closing(connect_redis(self.settings)) as client:
                publish(connection, client)

    def start_writers(self) -> None:
        """Let the writers begin."""
        options = self.options
        plan = Plan(options.writers, options.sleepers, options.slots, options.rate, options.seed)
        (self.folder / "plan").write_bytes(msgspec.json.encode(plan))
        (self.folder / "journal").touch()
        with (self.folder / f"{WRITERS}.log").open("wb") as log:
            self._writers.start(WRITERS, "prove", "--only-writers", str(self.folder), log=log)

    def end_writers(self) -> None:
        """Ask the writers to finish what they are at."""
        self._writers.send(WRITERS, signal.SIGTERM)

    def writers_ended(self) -> bool:
        """Whether they have finished. Raises ChildEnded where they failed."""
        code = self._writers.ended().get(WRITERS)
        if code:
            self._writers.check()
        return code is not None

    def tally(self) -> dict[str, int]:
        """How the transactions of the writers ended, once they have."""
        return msgspec.json.decode((self.folder / "tally").read_bytes(), type=dict[str, int])

    def note(self, text: str) -> None:
        """Keep the course of events, to compare it with the processes' logs."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        with (self.folder / "course.log").open("a", encoding="utf-8") as file:
            file.write(f"{at} {text}\n")

    def look_after(self) -> None:
        """Raises ChildEnded when a process has ended that should run."""
        self.processes.look_after(servers_up=not self.away)

    def ask(self, query: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of a query of sql/queries/prove.sql. Raises Away, psycopg.Error."""
        cursor = self._connected().execute(load("prove")[query], parameters)
        return cursor.fetchall() if cursor.description else []

    def status(self) -> Status:
        """What `orgstream status` says. Raises Away, psycopg.Error."""
        return read_status(
            self._connected(),
            None if "redis" in self.away else self.client,
            lease_seconds=self.settings.lease_seconds,
            partitions=self.settings.partitions,
        )

    def forget_session(self) -> None:
        """Have the next question open a session anew."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _connected(self) -> psycopg.Connection:
        if "postgres" in self.away:
            raise Away
        if self._session is None or self._session.broken:
            self.forget_session()
            self._session = connect(self.settings, "prove")
        return self._session

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.forget_session()
        self._stack.close()
