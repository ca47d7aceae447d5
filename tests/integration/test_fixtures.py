"""The fixtures themselves: servers are real, and each test begins with nothing."""

from __future__ import annotations

import psycopg
import pytest
import redis

# Twice the same, so that the second would meet what the first left behind.
TWICE = pytest.mark.parametrize("turn", [1, 2])


@TWICE
def test_each_test_has_a_database_of_its_own(database_url: str, turn: int) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE left_behind (tags hstore)")


@TWICE
def test_redis_is_empty_on_every_server(every_redis_url: str, turn: int) -> None:
    with redis.Redis.from_url(every_redis_url) as client:
        assert client.dbsize() == 0
        client.set("left_behind", 1)


@TWICE
def test_redis_is_empty(redis_url: str, turn: int) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left_behind", 1)


def test_the_plain_database_answers(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        assert connection.info.server_version >= 150_000
