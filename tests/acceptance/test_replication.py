"""Replication as it is deployed: real processes by the command line, killed and stopped under load."""

from __future__ import annotations

import contextlib
import itertools
import signal
import threading
import time
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from tests.fixtures.processes import PATIENCE_SECONDS
from tests.fixtures.world import ORGS, RULES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fixtures.processes import RunCommand, Running, StartCommand

BELL: Final = """
CREATE FUNCTION public.ring() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_notify('arrived', ''); RETURN NULL; END $$;
CREATE TRIGGER ring AFTER INSERT OR UPDATE OR DELETE ON us.account EXECUTE FUNCTION public.ring();
"""
LAYOUTS: Final = {
    "fused": ["filter,match,transform,apply"] * 2,
    "split": ["filter,match", "transform,apply"],
}


class Deployment:
    """The processes of one deployment, and the database they work on."""

    def __init__(self, connection: psycopg.Connection, start: StartCommand, env: dict[str, str]) -> None:
        self.connection = connection
        self.env = env
        self._start = start
        self._numbers = itertools.count()

    def start(self, *commands: list[str]) -> list[Running]:
        """Start processes, and wait until each says so."""
        processes = [self._start(*command, env=self.env) for command in commands]
        for process in processes:
            process.await_line("action=started")
        return processes

    def write(self) -> None:
        """An application's transaction: a new account, and one of those before changed."""
        number = next(self._numbers)
        with self.connection.transaction():
            self.connection.execute(
                "INSERT INTO emea.account VALUES (%s, 'new', 'Rome', 1, true)", [f"k{number}"]
            )
            self.connection.execute(
                "UPDATE emea.account SET name = %s WHERE ext_id = %s", [f"n{number}", f"k{number // 2}"]
            )

    def await_all(self) -> None:
        """Wait until the target is what the rules say of the source."""
        self.connection.execute("LISTEN arrived")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._differs():
            remaining = deadline - time.monotonic()
            assert remaining > 0, "not everything has arrived"
            for _ in self.connection.notifies(timeout=min(remaining, 1), stop_after=1):
                pass

    def _differs(self) -> bool:
        query = """
            SELECT FROM (SELECT ext_id, upper(name) AS name FROM emea.account) AS source
            FULL JOIN us.account AS target USING (ext_id)
            WHERE source.name IS DISTINCT FROM target.name
            """
        return self.connection.execute(query).rowcount > 0


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(ORGS)
        connection.execute(BELL)
        yield connection


@pytest.fixture
def env(database_url: str, redis_url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "ORGSTREAM_PARTITIONS": "4",
        "ORGSTREAM_LEASE_SECONDS": "1",
        "ORGSTREAM_WORKER_BLOCK_SECONDS": "0.2",
    }


@pytest.fixture
def deployment(
    connection: psycopg.Connection,
    env: dict[str, str],
    orgstream: RunCommand,
    start_orgstream: StartCommand,
    tmp_path: Path,
) -> Deployment:
    (tmp_path / "orgstream.toml").write_text(RULES, encoding="utf-8")
    assert orgstream("migrate", env=env).code == 0
    applied = orgstream("rules", "apply", env=env)
    assert (applied.code, applied.stderr) == (0, "")
    return Deployment(connection, start_orgstream, env)


@contextlib.contextmanager
def load(deployment: Deployment) -> Iterator[None]:
    """Transactions without a pause, until told to end."""
    end = threading.Event()

    def write() -> None:
        while not end.is_set():
            deployment.write()
            end.wait(0.002)  # leaves the processors to those under test

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        end.set()
        writer.join()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_everything_arrives_although_processes_are_killed(deployment: Deployment, layout: str) -> None:
    commands = [["relay"], *(["worker", "--stages", stages] for stages in LAYOUTS[layout])]
    processes = deployment.start(*commands)
    with load(deployment):
        for killed in ([0, 1], [2]):
            for place in killed:
                processes[place].kill()
            for place, process in zip(
                killed, deployment.start(*(commands[place] for place in killed)), strict=True
            ):
                processes[place] = process
    deployment.await_all()
    ((changes, applied, letters),) = deployment.connection.execute("""
        SELECT
            (SELECT count(*) FROM orgstream.change_queue),
            (SELECT count(*) FROM orgstream.applied),
            (SELECT count(*) FROM orgstream.dead_letter)
        """)
    assert changes > 20
    assert (applied, letters) == (changes, 0)
    for process in processes:
        process.send(signal.SIGTERM)
    assert [process.wait(seconds=10) for process in processes] == [0, 0, 0]
    held = deployment.connection.execute("SELECT FROM orgstream.lease WHERE holder IS NOT NULL").rowcount
    assert held == 0


@pytest.mark.parametrize("arguments", [["relay"], ["worker"]], ids=" ".join)
class TestRefusals:
    """What is wrong from the start ends with 2 and one message."""

    @staticmethod
    def refused(orgstream: RunCommand, arguments: list[str], env: dict[str, str]) -> str:
        """The one message."""
        done = orgstream(*arguments, env=env)
        assert (done.code, done.stdout) == (2, "")
        (message,) = done.stderr.splitlines()
        return message

    def test_no_database(self, orgstream: RunCommand, env: dict[str, str], arguments: list[str]) -> None:
        del env["DATABASE_URL"]
        assert "DATABASE_URL is not set" in self.refused(orgstream, arguments, env)

    def test_a_malformed_database_url(
        self, orgstream: RunCommand, env: dict[str, str], arguments: list[str]
    ) -> None:
        message = self.refused(orgstream, arguments, env | {"DATABASE_URL": "mysql://me:secret@host/db"})
        assert "DATABASE_URL" in message
        assert "secret" not in message

    def test_an_unreachable_database(
        self, orgstream: RunCommand, env: dict[str, str], arguments: list[str]
    ) -> None:
        url = "postgresql://me:secret@127.0.0.1:1/db"
        message = self.refused(orgstream, arguments, env | {"DATABASE_URL": url})
        assert "cannot connect to Postgres at DATABASE_URL" in message
        assert "secret" not in message

    def test_an_unreachable_redis(
        self, deployment: Deployment, orgstream: RunCommand, arguments: list[str]
    ) -> None:
        message = self.refused(orgstream, arguments, deployment.env | {"REDIS_URL": "redis://127.0.0.1:1"})
        assert "cannot use Redis at REDIS_URL" in message

    def test_not_migrated(self, orgstream: RunCommand, env: dict[str, str], arguments: list[str]) -> None:
        assert "orgstream migrate" in self.refused(orgstream, arguments, env)


def test_an_unknown_stage(orgstream: RunCommand, env: dict[str, str]) -> None:
    done = orgstream("worker", "--stages", "filter,mach", env=env)
    assert (done.code, done.stdout) == (2, "")
    assert "unknown stage" in done.stderr
    assert "filter, match, transform, apply" in done.stderr
