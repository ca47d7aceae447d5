"""The fault drill under load: a target that refuses, an alert, a retry, a lost Redis, a replay.

The writers, and the checker that follows every effect back to its history, are those of `orgstream prove`.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest
import redis

from pipeline.postgres.queries import load
from tests.fixtures.forked import COMMAND
from tests.fixtures.monitored import monitoring
from tests.fixtures.processes import Running
from tests.fixtures.proven import NOTE, SLOTS, Proven, rules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.embedded import EmbeddedPostgres
    from tests.fixtures.monitored import Monitored

pytestmark = pytest.mark.slow

# Of one key that all writers use, and of two that are the drill's own.
CONSTRAINT: Final = (
    "ALTER TABLE us.account ADD CONSTRAINT small CHECK (key NOT IN ('k1', 'k39', 'k40')) NOT VALID"
)


@pytest.fixture(scope="module")
def monitored(postgres_server: EmbeddedPostgres) -> Iterator[Monitored]:
    """The prover's orgs, with a rule between them."""
    orgs = load("prove")["install"] + NOTE
    with monitoring(postgres_server, orgs=orgs, behind={}, rules=rules()) as monitored:
        yield monitored


class Drill(Proven):
    """A load, and the commands of whoever is on call."""

    def __init__(self, at: Monitored, folder: Path) -> None:
        super().__init__(at.app, at.env["DATABASE_URL"], folder)
        self._at = at

    def run(self, *arguments: str) -> Any:
        """A command to its end: what it says as JSON."""
        done = subprocess.run(
            [*COMMAND, *arguments, "--json"],
            cwd=self.folder,
            env=self._at.env,
            check=True,
            capture_output=True,
            text=True,
        )
        return json.loads(done.stdout)

    def start(self, *arguments: str) -> Running:
        """A command that is on its way."""
        return Running([*COMMAND, *arguments], env=self._at.env, folder=self.folder)

    def in_the_end(self) -> list[Any]:
        """What is wrong when all has taken effect."""
        self._at.run("drain")
        return list(self.findings())


@pytest.fixture
def drill(monitored: Monitored, tmp_path: Path) -> Iterator[Drill]:
    monitored.app.execute("DELETE FROM emea.account")
    monitored.run("drain")
    with contextlib.closing(Drill(monitored, tmp_path)) as drill:
        yield drill


def test_a_fault_drill(monitored: Monitored, drill: Drill) -> None:
    app, prometheus = monitored.app, monitored.prometheus
    alert = prometheus.alert_rules()["OrgstreamDeadLetters"]["query"]
    with drill.load():
        app.execute(CONSTRAINT)
        for act in "abc":
            drill.change("k39", act)
            drill.change("k40", act)
        prometheus.await_result(alert)
        prometheus.await_result("sum(orgstream_held_changes) >= 4")
        [group] = drill.run("dead-letters", "list")["groups"]
        assert group["constraint"] == "small"
        assert group["count"] >= 2
        assert group["held"] >= 4
        app.execute("ALTER TABLE us.account DROP CONSTRAINT small")
        drill.run("dead-letters", "retry", "--cause", "refused", "--reason", "the constraint is gone")
        prometheus.await_result(alert, empty=True)
        prometheus.await_result("sum(orgstream_held_changes) == 0")
        assert app.execute("SELECT FROM us.account WHERE key = any(%s)", [["k39", "k40"]]).rowcount == 2
        with redis.Redis.from_url(monitored.env["REDIS_URL"]) as client:
            client.flushall()
        app.execute("UPDATE us.account SET note = 'spoilt'")
        one = ("--key", '{"key": "k39"}')
        foreseen = drill.run("replay", "--since", "15m", *one, "--force", "--dry-run")["rehearsal"]
        [samples] = [rule["samples"] for rule in foreseen["rules"] if rule["samples"]]
        assert samples == [{"what": "update", "key": {"key": "k39"}, "columns": ["note"]}]
        done = drill.run("replay", "--since", "15m", "--force")["replay"]
        assert (done["state"], done["failed"], done["held"]) == ("finished", 0, 0)
        assert done["records"] == done["done"] > SLOTS / 2
        assert app.execute("SELECT FROM us.account WHERE note = 'spoilt'").rowcount == 0
    assert drill.in_the_end() == []
    assert drill.effects > 100


def test_a_replay_that_is_killed_goes_on_where_it_was(monitored: Monitored, drill: Drill) -> None:
    with drill.load():
        monitored.prometheus.await_result("sum(orgstream_writes_total) > 200")
        replay = drill.start("replay", "--all", "--force", "--rate", "40")
        line = replay.await_line(" records, ")
        replay.kill()
        found = re.match(r"replay (\d+): (\d+) of (\d+) records", line)
        assert found is not None
        id_, before, records = map(int, found.groups())
        [listed] = [one for one in drill.run("replay", "--list")["replays"] if one["id"] == id_]
        assert before <= listed["done"] < records
        done = drill.run("replay", "--resume", str(id_))["replay"]
        assert (done["state"], done["done"], done["records"]) == ("finished", records, records)
    assert drill.in_the_end() == []


def test_the_check_of_the_drill_can_fail(monitored: Monitored, drill: Drill) -> None:
    for act in "abc":
        drill.change("k39", act)
    assert drill.in_the_end() == []
    monitored.app.execute("UPDATE us.account SET version = version - 1 WHERE key = 'k39'")
    kinds = {finding.kind for finding in drill.in_the_end()}
    assert {"lost"} < kinds
