"""Rule sets in Postgres: versions, numbers, capture, and two who apply at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import pytest
from msgspec.structs import replace

from pipeline.errors import Failure
from pipeline.rules import store
from stages.rules.capture import Captured
from tests.unit.rules.rule_sets import rule, rule_set

if TYPE_CHECKING:
    from collections.abc import Callable

    from stages.rules.model import RuleSet

PLAIN = """
DROP TABLE us.account;
DROP VIEW emea.accounts;
DROP TABLE emea.account;
CREATE TABLE emea.account (ext_id text PRIMARY KEY, name text);
CREATE TABLE us.account (ext_id text PRIMARY KEY, name text);
"""


@pytest.fixture(autouse=True)
def _plain_orgs(connection: psycopg.Connection) -> None:
    connection.execute(PLAIN)


def captured_changes(connection: psycopg.Connection) -> list[tuple[str, str]]:
    rows = connection.execute("SELECT operation, key::jsonb::text FROM orgstream.change_queue ORDER BY id")
    return [(operation, key) for operation, key in rows]


def rule_rows(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    query = "SELECT name, rule_id, version, since FROM orgstream.replication_rules ORDER BY since, rule_id"
    return connection.execute(query).fetchall()


def test_nothing_is_live_at_first(connection: psycopg.Connection) -> None:
    assert store.live(connection) is None
    assert store.live_version(connection) == 0
    assert store.at(connection, 1) is None


def test_applied_rules_are_live_and_captured(connection: psycopg.Connection) -> None:
    applied = store.apply(connection, rule_set(rule("a")))
    assert (applied.version, [(rule.id, rule.version) for rule in applied.rules]) == (1, [(1, 1)])
    assert store.live(connection) == applied == store.at(connection, 1)
    connection.execute("INSERT INTO emea.account VALUES ('x', 'Ann')")
    assert captured_changes(connection) == [("INSERT", '{"ext_id": "x"}')]


def test_the_same_rules_again_are_no_new_version(connection: psycopg.Connection) -> None:
    applied = store.apply(connection, rule_set(rule("a")))
    assert store.apply(connection, rule_set(rule("a"))) == applied
    assert store.live_version(connection) == 1


def test_only_what_changed_gets_a_new_version(connection: psycopg.Connection) -> None:
    store.apply(connection, rule_set(rule("a"), rule("b")))
    store.apply(connection, rule_set(rule("a", when="name = 'x'"), rule("b"), rule("c")))
    store.apply(connection, rule_set(rule("b")))
    store.apply(connection, rule_set(rule("a", when="name = 'x'"), rule("b")))  # a is back, as it was
    assert rule_rows(connection) == [("a", 1, 1, 1), ("b", 2, 1, 1), ("a", 1, 2, 2), ("c", 3, 1, 2)]
    live = store.live(connection)
    assert live is not None
    assert [(rule.name, rule.id, rule.version) for rule in live.rules] == [("a", 1, 2), ("b", 2, 1)]
    second = store.at(connection, 2)
    assert second is not None
    assert [rule.name for rule in second.rules] == ["a", "b", "c"]


def test_capture_goes_with_the_last_rule_that_needs_it(connection: psycopg.Connection) -> None:
    store.apply(connection, rule_set(rule("a")))
    store.apply(connection, rule_set(rule("a", enabled=False)))
    assert store.captured(connection) == []
    connection.execute("INSERT INTO emea.account VALUES ('x', 'Ann')")
    assert captured_changes(connection) == []


def test_another_identity_renews_capture(connection: psycopg.Connection) -> None:
    store.apply(connection, rule_set(rule("a")))
    store.apply(connection, rule_set(rule("a"), identity=("name",)))
    connection.execute("INSERT INTO emea.account VALUES ('x', 'Ann')")
    assert captured_changes(connection) == [("INSERT", '{"name": "Ann"}')]


@pytest.mark.parametrize(
    "loss",
    [
        "DROP TABLE emea.account; CREATE TABLE emea.account (ext_id text PRIMARY KEY, name text)",
        "ALTER TABLE emea.account DISABLE TRIGGER ALL",
    ],
)
def test_lost_triggers_come_back_with_the_next_apply(connection: psycopg.Connection, loss: str) -> None:
    store.apply(connection, rule_set(rule("a")))
    connection.execute(loss.encode())
    assert [table.is_installed for table in store.captured(connection)] == [False]
    assert store.apply(connection, rule_set(rule("a"))).version == 1
    connection.execute("INSERT INTO emea.account VALUES ('x', 'Ann')")
    assert len(captured_changes(connection)) == 1


def test_nothing_is_applied_by_halves(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.UndefinedColumn):
        store.apply(connection, rule_set(rule("a"), identity=("nowhere",)))
    assert store.live(connection) is None
    assert rule_rows(connection) == []


def test_a_locked_table_is_said_so(connection: psycopg.Connection, database_url: str) -> None:
    connection.execute("SET lock_timeout = '50ms'")
    with psycopg.connect(database_url) as writer:
        writer.execute("INSERT INTO emea.account VALUES ('x', 'Ann')")
        with pytest.raises(Failure, match="locked by a long transaction"):
            store.apply(connection, rule_set(rule("a")))
    assert store.live_version(connection) == 0
    store.apply(connection, rule_set(rule("a")))
    assert store.captured(connection) == [Captured("emea", "account", ("ext_id",))]


def at_once(url: str, *candidates: RuleSet) -> list[RuleSet]:
    """Apply the candidates from threads that begin together."""
    start = threading.Barrier(len(candidates))
    applied: list[RuleSet] = []

    def apply(candidate: RuleSet) -> Callable[[], None]:
        def run() -> None:
            with psycopg.connect(url, autocommit=True) as connection:
                start.wait()
                applied.append(store.apply(connection, candidate))

        return run

    threads = [threading.Thread(target=apply(candidate)) for candidate in candidates]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(applied, key=lambda found: found.version)


def test_the_same_at_once_is_one_version(connection: psycopg.Connection, database_url: str) -> None:
    first, second = at_once(database_url, rule_set(rule("a")), rule_set(rule("a")))
    assert first == second
    assert store.live_version(connection) == 1
    assert rule_rows(connection) == [("a", 1, 1, 1)]


def test_different_ones_applied_at_once_follow_one_another(
    connection: psycopg.Connection, database_url: str
) -> None:
    names = ["a", "b", "c", "d"]
    applied = at_once(database_url, *(rule_set(rule(name), rule("shared")) for name in names))
    assert [found.version for found in applied] == [1, 2, 3, 4]
    assert store.live(connection) == applied[-1]
    ids = {rule.name: rule.id for found in applied for rule in found.rules}
    assert sorted(ids.values()) == [1, 2, 3, 4, 5]
    assert all(rule.id == ids[rule.name] for found in applied for rule in found.rules)


def test_a_stored_set_says_all_that_was_applied(connection: psycopg.Connection) -> None:
    candidate = rule_set(replace(rule("a"), origins=("salesforce",), priority=7))
    applied = store.apply(connection, candidate)
    assert replace(applied.rules[0], id=0, version=0) == candidate.rules[0]
    assert applied.tables == candidate.tables
