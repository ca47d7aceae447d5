"""The fault drill under load: a target that refuses, an alert, a retry, a lost Redis, a replay."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import threading
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest
import redis

from pipeline.demo.order import judge
from tests.fixtures.forked import COMMAND
from tests.fixtures.processes import Running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.demo.order import State
    from tests.fixtures.monitored import Monitored

pytestmark = pytest.mark.slow

RECORDS: Final = 30
# Both logs are of plain triggers of the test's own: what users did, and what the target took.
LOGS: Final = """
CREATE TABLE public.log (id bigint GENERATED ALWAYS AS IDENTITY, org text, key text, before json, after json);
CREATE FUNCTION public.log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.log (org, key, before, after) VALUES (
        TG_TABLE_SCHEMA, coalesce(NEW.ext_id, OLD.ext_id),
        CASE WHEN TG_OP <> 'INSERT' THEN row_to_json(OLD) END,
        CASE WHEN TG_OP <> 'DELETE' THEN row_to_json(NEW) END
    );
    RETURN NULL;
END $$;
CREATE TRIGGER log AFTER INSERT OR UPDATE OR DELETE ON emea.account
FOR EACH ROW EXECUTE FUNCTION public.log();
CREATE TRIGGER log AFTER INSERT OR UPDATE OR DELETE ON us.account
FOR EACH ROW EXECUTE FUNCTION public.log();
"""
WRITE: Final = """
INSERT INTO emea.account VALUES (%s, %s, 'here', %s, true)
ON CONFLICT (ext_id) DO UPDATE SET name = excluded.name, amount = excluded.amount
"""


class Drill:
    """A load over a few records, and the commands of whoever is on call."""

    def __init__(self, at: Monitored, folder: Path) -> None:
        self._at = at
        self._folder = folder
        self._number = 0

    def write(self, app: psycopg.Connection, key: str, amount: int = 1) -> None:
        """A change of a record; no two have the same name."""
        self._number += 1
        app.execute(WRITE, [key, f"n{self._number}", amount])

    @contextlib.contextmanager
    def load(self) -> Iterator[None]:
        """Changes without a pause, until the end of the block."""
        end = threading.Event()

        def write() -> None:
            with psycopg.connect(self._at.env["DATABASE_URL"], autocommit=True) as app:
                while not end.wait(0.005):
                    self.write(app, f"r{self._number * 7 % RECORDS}")

        writer = threading.Thread(target=write)
        writer.start()
        try:
            yield
        finally:
            end.set()
            writer.join()

    def run(self, *arguments: str) -> Any:
        """A command to its end: what it says as JSON."""
        done = subprocess.run(
            [*COMMAND, *arguments, "--json"],
            cwd=self._folder,
            env=self._at.env,
            check=True,
            capture_output=True,
            text=True,
        )
        return json.loads(done.stdout)

    def start(self, *arguments: str) -> Running:
        """A command that is on its way."""
        return Running([*COMMAND, *arguments], env=self._at.env, folder=self._folder)

    def findings(self) -> list[tuple[Any, ...]]:
        """Every record whose writes do not follow from its history, or that does not end as its source."""
        logs: dict[str, dict[str, list[State]]] = {"emea": {}, "us": {}}
        for org, key, before, after in self._at.app.execute(
            "SELECT org, key, before, after FROM public.log ORDER BY id"
        ):
            old, new = _image(before), _image(after)
            if org == "us" and old is not None and new is not None:
                new = {column: value for column, value in new.items() if value != old[column]}
            if new != {}:  # only columns that the drill does not follow
                logs[org].setdefault(key, []).append(new)
        found: list[tuple[Any, ...]] = [
            (key, *fault)
            for key, writes in logs["us"].items()
            for fault in judge(logs["emea"].get(key, []), writes)
        ]
        different = self._at.app.execute(
            "SELECT ext_id, s.name, t.name, s.amount, t.amount FROM emea.account AS s"
            " FULL JOIN us.account AS t USING (ext_id)"
            " WHERE upper(s.name) IS DISTINCT FROM t.name OR s.amount IS DISTINCT FROM t.amount"
        )
        return found + different.fetchall()


def _image(row: dict[str, Any] | None) -> State:
    return None if row is None else {"name": row["name"].upper(), "amount": int(row["amount"])}


@pytest.fixture
def drill(monitored: Monitored, tmp_path: Path) -> Drill:
    if monitored.app.execute("SELECT FROM pg_class WHERE oid = to_regclass('public.log')").rowcount == 0:
        monitored.app.execute(LOGS)
    monitored.app.execute("DELETE FROM emea.account")
    monitored.run("drain")
    monitored.app.execute("TRUNCATE public.log")
    return Drill(monitored, tmp_path)


def test_a_fault_drill(monitored: Monitored, drill: Drill) -> None:
    app, prometheus = monitored.app, monitored.prometheus
    alert = prometheus.alert_rules()["OrgstreamDeadLetters"]["query"]
    with drill.load():
        app.execute("ALTER TABLE us.account ADD CONSTRAINT small CHECK (amount < 100) NOT VALID")
        for key in ("bad1", "bad2"):
            drill.write(app, key, 500)
            drill.write(app, key, 600)
            drill.write(app, key, 700)
        prometheus.await_result(alert)
        prometheus.await_result("sum(orgstream_held_changes) == 4")
        [group] = drill.run("dead-letters", "list")["groups"]
        assert (group["constraint"], group["count"], group["held"]) == ("small", 2, 4)
        app.execute("ALTER TABLE us.account DROP CONSTRAINT small")
        drill.run("dead-letters", "retry", "--cause", "refused", "--reason", "the constraint is gone")
        prometheus.await_result(alert, empty=True)
        prometheus.await_result("sum(orgstream_held_changes) == 0")
        assert app.execute("SELECT FROM us.account WHERE amount = 700").rowcount == 2
        with redis.Redis.from_url(monitored.env["REDIS_URL"]) as client:
            client.flushall()
        app.execute("UPDATE us.account SET city = 'spoilt' WHERE ext_id LIKE 'bad%'")  # the logs leave it out
        one = ("--key", '{"ext_id": "bad1"}')
        foreseen = drill.run("replay", "--since", "15m", *one, "--force", "--dry-run")["rehearsal"]
        [samples] = [rule["samples"] for rule in foreseen["rules"] if rule["samples"]]
        assert samples == [{"what": "update", "key": {"ext_id": "bad1"}, "columns": ["city"]}]
        done = drill.run("replay", "--since", "15m", "--force")["replay"]
        assert (done["state"], done["failed"], done["held"]) == ("finished", 0, 0)
        assert done["records"] == done["done"] > RECORDS
        assert app.execute("SELECT FROM us.account WHERE city = 'spoilt'").rowcount == 0
    monitored.run("drain")
    assert drill.findings() == []


def test_a_replay_that_is_killed_goes_on_where_it_was(monitored: Monitored, drill: Drill) -> None:
    with drill.load():
        prometheus = monitored.prometheus
        prometheus.await_result("sum(orgstream_writes_total) > 0")
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
    monitored.run("drain")
    assert drill.findings() == []


def test_the_check_of_the_drill_can_fail(monitored: Monitored, drill: Drill) -> None:
    drill.write(monitored.app, "one")
    monitored.run("drain")
    assert drill.findings() == []
    monitored.app.execute("UPDATE us.account SET name = 'STRANGE' WHERE ext_id = 'one'")
    assert len(drill.findings()) == 2
