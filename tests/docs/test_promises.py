"""The promises of docs/guarantees.md from end to end: real processes, killed and robbed of their Redis."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import redis

from tests.docs.pages import DOCS, first_column, section

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fixtures.processes import RunCommand, StartCommand

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("migrated")]

RULES = """
[orgs.emea]
schema = "emea"
[orgs.us]
schema = "us"
[[rules]]
name = "emea-to-us"
from = "emea.account"
to   = "us.account"
key  = { ext_id = "ext_id" }
map  = { name = "name" }
[[rules]]
name = "us-to-emea"
from = "us.account"
to   = "emea.account"
key  = { ext_id = "ext_id" }
map  = { name = "name" }
"""
TABLES = """
CREATE SCHEMA emea;
CREATE TABLE emea.account (ext_id text PRIMARY KEY, name text);
CREATE SCHEMA us;
CREATE TABLE us.account (ext_id text PRIMARY KEY, name text);
"""
RECORDS = 2_000
DIFFERENT = """
SELECT count(*)
FROM emea.account AS e
FULL JOIN us.account AS u ON u.ext_id = e.ext_id
WHERE e.name IS DISTINCT FROM u.name
"""


class Orgs:
    """Two orgs with rules both ways, and the processes between them."""

    def __init__(
        self, app: psycopg.Connection, env: dict[str, str], run: RunCommand, start: StartCommand
    ) -> None:
        self.app = app
        self._env = env
        self._run = run
        self._start = start

    def start(self, kind: str) -> Any:
        """Start a process; it runs when this returns."""
        process = self._start(kind, env=self._env)
        process.await_line("action=started")
        return process

    def drain(self) -> None:
        """Wait until all that is committed now has taken effect."""
        done = self._run("drain", env=self._env)
        assert done.code == 0, done.stderr

    def number(self, query: str) -> int:
        """What a query counts."""
        row = self.app.execute(query.encode()).fetchone()
        return int(row[0]) if row else 0

    def write(self, table: str, name: str) -> None:
        """Make or change every record of a table, in one transaction."""
        self.app.execute(
            psycopg.sql.SQL(
                "INSERT INTO {} AS t SELECT {} || i, {} FROM generate_series(1, {}) AS i "
                "ON CONFLICT (ext_id) DO UPDATE SET name = excluded.name"
            ).format(psycopg.sql.Identifier(table, "account"), psycopg.sql.Literal(table), name, RECORDS)
        )


@pytest.fixture
def orgs(
    database_url: str, redis_url: str, tmp_path: Path, orgstream: RunCommand, start_orgstream: StartCommand
) -> Iterator[Orgs]:
    env = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "ORGSTREAM_LEASE_SECONDS": "2s",  # what the killed ones hold is soon free
        "ORGSTREAM_WORKER_BLOCK_SECONDS": "200ms",
    }
    (tmp_path / "orgstream.toml").write_text(RULES, encoding="utf-8")
    with psycopg.connect(database_url, autocommit=True) as app:
        app.execute(TABLES)
        done = orgstream("rules", "apply", env=env)
        assert done.code == 0, done.stderr
        yield Orgs(app, env, orgstream, start_orgstream)


def _each_change_once(orgs: Orgs) -> None:
    """Every change of an application was carried once, and what we wrote came back to nobody."""
    changes = orgs.number("SELECT count(*) FROM orgstream.change_queue WHERE origin = 'application'")
    assert changes > 0
    # Writes of one record in one batch are one write: so there are at most as many of ours.
    assert (
        0 < orgs.number("SELECT count(*) FROM orgstream.change_queue WHERE origin = 'orgstream'") <= changes
    )
    assert orgs.number("SELECT count(*) FROM orgstream.applied") == changes
    assert orgs.number("SELECT count(*) FROM orgstream.dead_letter") == 0
    assert orgs.number(DIFFERENT) == 0


def _is_described(key: str) -> bool:
    """Whether docs/architecture.md lists a key of Redis."""
    described = first_column(section(DOCS / "architecture.md", "Keys in Redis"))
    patterns = (re.escape(name).replace("pNN", r"p\d\d+").replace("<version>", r"\d+") for name in described)
    return any(re.fullmatch(pattern, key) for pattern in patterns)


def test_rules_both_ways_between_plain_tables_settle(orgs: Orgs, redis_url: str) -> None:
    orgs.start("relay")
    orgs.start("worker")
    for table in ("emea", "us"):
        orgs.write(table, "new")
    orgs.drain()  # the changes
    orgs.drain()  # and what was captured of our own writes
    assert orgs.number("SELECT count(*) FROM us.account") == 2 * RECORDS
    _each_change_once(orgs)
    with redis.Redis.from_url(redis_url) as client:
        assert [key for key in client.scan_iter() if not _is_described(key.decode())] == []


def test_redis_may_be_emptied_again_and_again(orgs: Orgs, redis_url: str) -> None:
    orgs.start("relay")
    orgs.start("worker")
    with redis.Redis.from_url(redis_url) as client:
        for version in range(5):
            orgs.write("emea", f"version {version}")
            client.flushall()
    orgs.drain()
    orgs.drain()
    assert orgs.number("SELECT count(*) FROM us.account WHERE name = 'version 4'") == RECORDS
    _each_change_once(orgs)


def test_relay_and_worker_may_be_killed_again_and_again(orgs: Orgs) -> None:
    for version in range(3):
        relay, worker = orgs.start("relay"), orgs.start("worker")
        orgs.write("emea", f"version {version}")
        worker.kill()
        relay.kill()
    orgs.drain()
    orgs.drain()
    assert orgs.number("SELECT count(*) FROM us.account WHERE name = 'version 2'") == RECORDS
    _each_change_once(orgs)
