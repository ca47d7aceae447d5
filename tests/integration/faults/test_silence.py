"""A connection that nobody answers: noticed soon where nothing is done for it, and left alone where it is."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from pipeline.postgres.connection import connect
from pipeline.postgres.session import Session, Silent
from pipeline.redis.connection import connect as connect_redis
from pipeline.settings import Settings
from pipeline.settings.url import Url
from pipeline.supervise import is_outage
from tests.fixtures.proxy import HOST, Proxy, postgres_through

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg


@pytest.fixture
def settings(database_url: str, redis_url: str, postgres_proxy: Proxy, redis_proxy: Proxy) -> Settings:
    """By way of the proxies, with leases of a second."""
    return Settings(
        database_url=Url(postgres_through(postgres_proxy.port, database_url)),
        redis_url=Url(f"redis://{HOST}:{redis_proxy.port}"),
        lease_seconds=1.0,
        worker_block_seconds=0.2,
    )


@pytest.fixture
def session(settings: Settings) -> Iterator[psycopg.Connection]:
    with connect(settings, "test") as session:
        yield session


def test_a_statement_that_is_worked_on_may_take_longer_than_the_patience(
    session: psycopg.Connection,
) -> None:
    assert session.execute("SELECT pg_sleep(3.5), 'done'").fetchone() == ("", "done")


def test_nobody_is_asked_while_notifications_are_awaited(session: psycopg.Connection) -> None:
    assert isinstance(session, Session)
    looks: list[int] = []
    session.look = lambda: looks.append(1)  # type: ignore[assignment, return-value]
    session.execute("LISTEN nothing")
    assert list(session.notifies(timeout=2.5)) == []
    assert looks == []


def test_an_answer_that_does_not_come_is_not_waited_for(
    session: psycopg.Connection, postgres_proxy: Proxy
) -> None:
    """Ours is the only connection that hangs: a new one is answered, and says that ours has nothing to do."""
    postgres_proxy.freeze_present()
    with pytest.raises(Silent) as caught:
        session.execute("SELECT 1")
    assert is_outage(caught.value)
    assert session.closed


def test_nor_where_nobody_can_be_asked(session: psycopg.Connection, postgres_proxy: Proxy) -> None:
    postgres_proxy.freeze()
    with pytest.raises(Silent):
        session.execute("SELECT 1")


def test_an_answer_that_comes_late_is_taken(session: psycopg.Connection, postgres_proxy: Proxy) -> None:
    postgres_proxy.freeze()
    threading.Timer(0.5, postgres_proxy.thaw).start()
    assert session.execute("SELECT 1").fetchone() == (1,)


def test_a_blocking_read_is_not_broken_by_its_own_time_limit(settings: Settings) -> None:
    client = connect_redis(settings)
    client.xgroup_create("s", "g", mkstream=True)
    limit = client.connection_pool.connection_kwargs["socket_timeout"]
    assert limit > settings.worker_block_seconds
    blocked = round(1000 * settings.worker_block_seconds)
    for _ in range(8):  # together longer than the limit
        assert not client.xreadgroup("g", "c", {"s": ">"}, block=blocked)
    client.close()


def test_a_redis_that_takes_everything_and_says_nothing(settings: Settings, redis_proxy: Proxy) -> None:
    client = connect_redis(settings)
    redis_proxy.freeze()
    with pytest.raises(Exception, match="Timeout") as caught:
        client.ping()
    assert is_outage(caught.value)
    client.close()
