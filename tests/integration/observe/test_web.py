"""`orgstream web` beside real processes: everyone's metrics, the status, and readiness."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import time
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.embedded import EmbeddedRedis
from pipeline.metrics.catalog import METRICS
from tests.fixtures.forked import COMMAND
from tests.fixtures.orgs import ORGS, RULES
from tests.fixtures.processes import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fixtures.processes import RunCommand, Running, StartCommand

pytestmark = pytest.mark.usefixtures("migrated")

Samples = dict[tuple[str, ...], float]


class Deployment:
    """Processes on one database, with the rules live."""

    def __init__(self, start: StartCommand, env: dict[str, str]) -> None:
        self.env = env
        self._start = start

    def start(self, *command: str) -> tuple[Running, str]:
        """A process that says that it has started, and where it serves."""
        process = self._start(*command, env=self.env)
        return process, re.findall(r"metrics=(\S+)", process.await_line("action=started"))[0]


@pytest.fixture
def deployment(
    database_url: str,
    redis_url: str,
    orgstream: RunCommand,
    start_orgstream: StartCommand,
    tmp_path: Path,
) -> Deployment:
    env = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "ORGSTREAM_PARTITIONS": "4",
        "ORGSTREAM_LEASE_SECONDS": "1",
        "ORGSTREAM_WORKER_BLOCK_SECONDS": "0.2",
    }
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(ORGS)
    (tmp_path / "orgstream.toml").write_text(RULES, encoding="utf-8")
    assert orgstream("rules", "apply", env=env).code == 0
    return Deployment(start_orgstream, env)


def get(address: str, path: str) -> tuple[int, str]:
    try:
        with urlopen(f"http://{address}{path}", timeout=10) as reply:  # our own process
            return reply.status, reply.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def metrics(address: str) -> Samples:
    """Every sample by its name and the values of its labels in the order of the labels' names."""
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(get(address, "/metrics")[1])
        for sample in family.samples
    }


def awaited(look: Callable[[], object]) -> None:
    """Look until there is something to see."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not look():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.2)


def insert(deployment: Deployment, first: int, last: int) -> None:
    with psycopg.connect(deployment.env["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(
            "INSERT INTO emea.account SELECT 'k' || n, 'n', 'c', 1, true "
            "FROM generate_series(%s::int, %s::int) AS n",
            [first, last],
        )


def told_by(samples: Samples) -> set[str]:
    """The processes whose metrics there are."""
    return {labels[0] for name, *labels in samples if name == "process_resident_memory_bytes"}


def test_web_serves_the_metrics_of_all_and_they_do_not_grow_with_records(deployment: Deployment) -> None:
    deployment.start("relay")
    worker, _ = deployment.start("worker")
    deployment.start("worker")
    _, web = deployment.start("web")
    insert(deployment, 1, 300)

    def applied(samples: Samples) -> float:
        return sum(n for of, n in samples.items() if of[0] == "orgstream_writes_total" and "applied" in of)

    awaited(lambda: applied(metrics(web)) == 300)
    awaited(lambda: ("orgstream_relayed_changes_total", "relay.1") in metrics(web))
    awaited(lambda: told_by(metrics(web)) == {"relay.1", "web.1", "worker.1", "worker.2"})
    samples = metrics(web)
    # There are none of what no rule here can come to: conflicts, deliveries to Salesforce.
    absent = {f"orgstream_{what}_total" for what in ("backfilled_rows", "conflicts", "deliveries")}
    listed = {m.name for m in METRICS if not m.looked_up and m.kind != "histogram"}
    assert {name for name, *_ in samples} >= listed - absent
    insert(deployment, 301, 600)
    awaited(lambda: applied(metrics(web)) == 600)
    assert len(metrics(web)) < len(samples) + 100  # what comes up for the first time, but nothing by record
    worker.kill()
    awaited(lambda: metrics(web)["orgstream_processes", "worker"] == 1)


def test_the_status_is_served_as_json(deployment: Deployment, orgstream: RunCommand) -> None:
    deployment.start("relay")
    deployment.start("worker")
    _, web = deployment.start("web")
    insert(deployment, 1, 5)
    awaited(lambda: json.loads(get(web, "/status.json")[1])["caught_up"])
    code, text = get(web, "/status.json")
    status = json.loads(text)
    assert code == 200
    contract = {"caught_up", "backlog", "pending", "held", "waiting", "dead", "lag_seconds"}
    assert contract <= set(status)
    assert [stage["stage"] for stage in status["stages"]] == [
        "relay",
        "filter",
        "match",
        "transform",
        "apply",
    ]
    assert {rule["rule"] for rule in status["by_rule"]} == {"accounts", "contacts"}
    assert {process["kind"] for process in status["processes"]} == {"relay", "worker", "web"}
    printed = json.loads(orgstream("status", "--json", env=deployment.env).stdout)
    assert set(printed) == set(status)


def test_rates_and_memory_come_with_the_second_telling(deployment: Deployment) -> None:
    deployment.start("relay")
    deployment.start("worker")
    _, web = deployment.start("web")
    top, lines = deployment._start("top", "--interval", "0.3", "--json", env=deployment.env), []
    numbers = iter(range(1, 10_000))

    def fast() -> bool:
        insert(deployment, number := next(numbers), number)
        lines.append(json.loads(get(web, "/status.json")[1]))
        rules = {rule["rule"]: rule["per_second"] for rule in lines[-1]["by_rule"]}
        return bool(rules["accounts"] > 0)

    awaited(fast)
    stages = {stage["stage"]: stage["per_second"] for stage in lines[-1]["stages"]}
    assert stages["apply"] > 0
    assert {process["name"] for process in lines[-1]["processes"]} == {"relay.1", "web.1", "worker.1"}
    assert all(process["memory_bytes"] > 2**20 for process in lines[-1]["processes"])
    assert json.loads(top.await_line('"by_rule"'))["rules"] == 2
    assert top.stop() == 0


def test_what_a_process_counted_stays_for_a_while_after_its_end(deployment: Deployment) -> None:
    deployment.start("relay")
    worker, _ = deployment.start("worker")
    _, web = deployment.start("web")
    insert(deployment, 1, 7)
    received = ("orgstream_entries_received_total", "worker.1", "filter")
    held = ("orgstream_leases_held", "worker.1", "apply")
    awaited(lambda: metrics(web).get(held, 0) > 0)
    with psycopg.connect(deployment.env["DATABASE_URL"], autocommit=True) as connection:
        awaited(lambda: connection.execute("SELECT FROM us.account").rowcount == 7)
    assert worker.stop() == 0
    awaited(lambda: held not in metrics(web))
    samples = metrics(web)
    assert samples[received] >= 7
    deployment.start("worker")  # takes the next name, for the counts of worker.1 are not its own
    awaited(lambda: ("orgstream_leases_held", "worker.2", "apply") in metrics(web))
    assert metrics(web)[received] == samples[received]


def test_top_draws_in_a_terminal(deployment: Deployment) -> None:
    master, terminal = pty.openpty()
    child = subprocess.Popen(
        [*COMMAND, "top", "--interval", "0.2"],
        env={**os.environ, **deployment.env, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"},
        stdin=subprocess.DEVNULL,
        stdout=terminal,
    )
    os.close(terminal)
    try:
        drawn = b""
        while drawn.count(b"accounts") < 2:  # drawn, and drawn again
            drawn += os.read(master, 65_536)
        assert b"caught up" in drawn
        child.terminate()
        with contextlib.suppress(OSError):  # the end of a terminal
            while os.read(master, 65_536):
                pass
        assert child.wait(PATIENCE_SECONDS) == 0
    finally:
        child.kill()
        os.close(master)


def test_ready_means_making_progress(deployment: Deployment) -> None:
    _, web = deployment.start("web")
    _, relay = deployment.start("relay")
    awaited(lambda: get(web, "/readyz") == (200, "ready\n"))
    awaited(lambda: get(relay, "/readyz") == (200, "ready\n"))
    assert get(web, "/healthz") == (200, "alive\n")
    assert get(web, "/nothing")[0] == 404


def test_web_tells_what_postgres_knows_while_redis_is_away(deployment: Deployment, tmp_path: Path) -> None:
    with EmbeddedRedis(tmp_path / "redis") as redis:
        deployment.env["REDIS_URL"] = redis.url
        _, web = deployment.start("web")
        assert metrics(web)["orgstream_up", "redis"] == 1
        redis.kill()
        awaited(lambda: metrics(web)["orgstream_up", "redis"] == 0)
        samples = metrics(web)
        assert samples["orgstream_up", "postgres"] == 1
        assert samples["orgstream_outbox_pending_changes",] == 0
        assert samples["orgstream_processes", "web"] == 1
        assert ("process_resident_memory_bytes", "web.1") in samples
        code, text = get(web, "/status.json")
        assert (code, json.loads(text)["pending"]) == (200, None)
