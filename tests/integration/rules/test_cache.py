"""The rules in Redis: told on apply, found again after any loss, never older than before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from pipeline.errors import Failure
from pipeline.rules import store
from pipeline.rules.cache import LIVE_KEY, LIVE_SECONDS, RuleSource, publish, version_key
from stages.rules.model import RuleSet
from tests.unit.rules.rule_sets import rule, rule_set

if TYPE_CHECKING:
    import redis


class Connector:
    """Opens connections, and counts them: how often Postgres was asked."""

    def __init__(self, url: str) -> None:
        self.opened = 0
        self._url = url

    def __call__(self) -> psycopg.Connection:
        self.opened += 1
        return psycopg.connect(self._url, autocommit=True)


@pytest.fixture
def connector(database_url: str) -> Connector:
    return Connector(database_url)


@pytest.fixture
def source(connector: Connector, client: redis.Redis) -> RuleSource:
    return RuleSource(connector, client)


def record(connection: psycopg.Connection, *names: str) -> RuleSet:
    """Make rules of these names live in Postgres; Redis is not told."""
    return store.apply(connection, rule_set(*(rule(name, enabled=False) for name in names)))


def test_workers_start_before_the_first_rules(
    connection: psycopg.Connection, client: redis.Redis, source: RuleSource, connector: Connector
) -> None:
    assert source.current() == RuleSet(0, {}, (), ())
    assert source.current().version == 0
    assert connector.opened == 1
    applied = record(connection, "a")
    publish(connection, client)
    assert source.current() == applied


def test_running_workers_follow_each_apply_without_asking_postgres(
    connection: psycopg.Connection, client: redis.Redis, source: RuleSource, connector: Connector
) -> None:
    for names in (["a"], ["a", "b"], ["b"]):
        applied = record(connection, *names)
        assert publish(connection, client) == applied
        assert source.current() == applied
        assert source.current() is source.current()  # decoded once
    assert connector.opened == 0


def test_all_is_found_again_after_redis_lost_everything(
    connection: psycopg.Connection, client: redis.Redis, source: RuleSource, connector: Connector
) -> None:
    first = record(connection, "a")
    publish(connection, client)
    source.current()
    second = record(connection, "b")
    client.flushall()
    assert source.current() == second
    assert connector.opened == 1
    assert client.get(LIVE_KEY) == b"2"  # it is back for the others
    assert RuleSource(connector, client).current() == second
    assert connector.opened == 1
    assert RuleSource(connector, client).at(1) == first
    assert connector.opened == 2


def test_a_lost_set_is_put_back(
    connection: psycopg.Connection, client: redis.Redis, source: RuleSource, connector: Connector
) -> None:
    applied = record(connection, "a")
    publish(connection, client)
    client.delete(version_key(1))
    assert source.current() == applied
    assert connector.opened == 1
    assert client.exists(version_key(1))


def test_rules_whose_publication_was_lost_are_noticed_when_the_version_expires(
    connection: psycopg.Connection, client: redis.Redis, source: RuleSource
) -> None:
    record(connection, "a")
    publish(connection, client)
    assert 0 < client.pttl(LIVE_KEY) <= LIVE_SECONDS * 1000
    assert source.current().version == 1
    record(connection, "b")  # and the process dies before it publishes
    assert source.current().version == 1
    client.pexpire(LIVE_KEY, 0)
    assert source.current().version == 2


def test_an_older_version_in_redis_is_not_believed(
    connection: psycopg.Connection, client: redis.Redis, source: RuleSource
) -> None:
    record(connection, "a")
    applied = record(connection, "b")
    publish(connection, client)
    assert source.current() == applied
    client.set(LIVE_KEY, 1)
    assert source.current() == applied


def test_old_versions_stay_readable_and_memory_bounded(
    connection: psycopg.Connection, client: redis.Redis, source: RuleSource
) -> None:
    applied = [record(connection, f"rule {number}") for number in range(12)]
    client.flushall()
    assert [source.at(found.version) for found in applied] == applied
    assert [source.at(found.version) for found in applied] == applied
    assert all(client.ttl(version_key(found.version)) > 0 for found in applied)


def test_a_version_that_never_was(
    client: redis.Redis, source: RuleSource, connection: psycopg.Connection
) -> None:
    record(connection, "a")
    with pytest.raises(Failure, match="rule set 7 is not in Postgres"):
        source.at(7)


def test_a_full_redis_does_not_stop_workers(
    connection: psycopg.Connection, client: redis.Redis, source: RuleSource
) -> None:
    first = record(connection, "a")
    second = record(connection, "b")
    client.config_set("maxmemory", 1)  # nothing more can be written, and nothing is evicted
    try:
        assert source.current() == second
        assert source.at(1) == first
        assert source.current() == second
    finally:
        client.config_set("maxmemory", 0)
    assert source.current() == second
    assert client.get(LIVE_KEY) == b"2"


def test_a_slow_publication_does_not_hide_a_later_one(
    connection: psycopg.Connection, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(connection, "a")
    read = store.live
    interrupted: list[RuleSet | None] = []

    def slow(asked: psycopg.Connection) -> RuleSet | None:
        found = read(asked)
        if not interrupted:
            interrupted.append(found)
            record(connection, "b")
            publish(connection, client)
        return found

    monkeypatch.setattr(store, "live", slow)
    assert publish(connection, client).version == 2
    assert client.get(LIVE_KEY) == b"2"
