"""A pooler in transaction mode is told from a server, busy or idle, and refused before anything is done."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from pipeline.errors import NoSession
from pipeline.postgres.connection import check_session, connect
from pipeline.settings import Settings
from pipeline.settings.url import Url
from tests.fixtures.pooler import CHOICES, Pooler, startup
from tests.fixtures.proxy import Proxy, postgres_socket, postgres_through

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fixtures.processes import RunCommand

COMMANDS = (["relay"], ["worker"], ["drain"], ["migrate"], ["status"], ["rules", "plan"])


@contextlib.contextmanager
def pooled(url: str, *, size: int = 3, choice: str = "last", telling: bool = False) -> Iterator[str]:
    """The URL of a database by way of a pooler."""
    first = startup([("user", "postgres"), ("database", str(conninfo_to_dict(url)["dbname"]))])
    with Pooler(postgres_socket(url), first, size=size, choice=choice, telling=telling) as pooler:
        yield postgres_through(pooler.port, url)


def settings_of(url: str) -> Settings:
    return Settings(database_url=Url(url), redis_url=None)


@pytest.mark.parametrize("size", [1, 2, 3, 8])
@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("telling", [False, True], ids=["makes up a number", "tells the first session's"])
def test_it_is_recognised(database_url: str, size: int, choice: str, telling: bool) -> None:
    with (
        pooled(database_url, size=size, choice=choice, telling=telling) as url,
        pytest.raises(NoSession, match=r"transaction mode.*Set DATABASE_URL to the database itself"),
    ):
        check_session(settings_of(url))


def test_an_idle_pooler_would_pass_a_simpler_look(database_url: str) -> None:
    """One client alone gets the same session again and again: this is why others take part in the look."""
    with pooled(database_url) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT set_config('orgstream.probe', 'mine', false)")
        seen = {
            connection.execute("SELECT pg_backend_pid(), current_setting('orgstream.probe')").fetchone()
            for _ in range(20)
        }
    assert len(seen) == 1


def test_every_connection_looks_not_only_the_first(database_url: str) -> None:
    with pooled(database_url) as url, pytest.raises(NoSession):
        connect(settings_of(url), "test")


def test_nothing_is_left_in_the_sessions_of_others(database_url: str) -> None:
    """Our limits and search path must not stay behind in the sessions that other applications get next."""
    with pooled(database_url, size=1) as url:
        with pytest.raises(NoSession):
            connect(settings_of(url), "test")
        with psycopg.connect(url, autocommit=True) as other:
            assert other.execute("SHOW search_path").fetchone() == ('"$user", public',)
            assert other.execute("SHOW idle_in_transaction_session_timeout").fetchone() == ("0",)


def test_a_server_and_a_proxy_are_no_pooler(database_url: str, postgres_proxy: Proxy) -> None:
    check_session(settings_of(database_url))
    check_session(settings_of(postgres_through(postgres_proxy.port, database_url)))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_refuses_it_with_the_remedy(
    database_url: str, redis_url: str, orgstream: RunCommand, command: list[str]
) -> None:
    with pooled(database_url) as url:
        done = orgstream(*command, env={"DATABASE_URL": url, "REDIS_URL": redis_url})
    assert (done.code, done.stdout) == (2, "")
    (message,) = done.stderr.splitlines()
    assert "DATABASE_CONNECTION_POOL_URL" in message
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT to_regnamespace('orgstream')").fetchone() == (None,)
