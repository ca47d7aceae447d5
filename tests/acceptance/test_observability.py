"""Alerts and dashboards by a real Prometheus that scrapes a running pipeline: each is broken, and seen."""

from __future__ import annotations

import contextlib
import re
import subprocess
from typing import TYPE_CHECKING, Final

import pytest
import redis

from tests.docs.pages import DOCS, anchors
from tests.fixtures.prometheus import ALERTS, program
from tests.unit.source_tree import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.fixtures.monitored import Monitored


@contextlib.contextmanager
def stalled(at: Monitored) -> Iterator[None]:
    """Nobody works, and a change was captured two minutes ago."""
    with at.without("worker"), at.without("relay"):
        at.insert(1, 1)
        at.app.execute(
            "UPDATE orgstream.change_queue SET captured_at = captured_at - interval '2 minutes' "
            "WHERE id = (SELECT max(id) FROM orgstream.change_queue)"
        )
        yield


@contextlib.contextmanager
def flooded(at: Monitored) -> Iterator[None]:
    """More and more changes are captured, and no relay takes them."""
    with at.without("relay"):
        for first in range(1_000, 7_000, 1_500):
            at.insert(first, first + 1_499)
            at.prometheus.await_result(f"orgstream_outbox_pending_changes >= {first}")
        yield


@contextlib.contextmanager
def slow(at: Monitored) -> Iterator[None]:
    """Changes come to their target a minute after they were made."""
    at.prometheus.await_result('orgstream_end_to_end_latency_seconds_count{rule="accounts"}')  # from zero
    with at.without("relay"):
        at.insert(10_000, 10_500)
        at.app.execute(
            "UPDATE orgstream.change_queue SET captured_at = captured_at - interval '1 minute' "
            "WHERE key ->> 'ext_id' LIKE 'k10%'"
        )
    yield


@contextlib.contextmanager
def refusing(at: Monitored) -> Iterator[None]:
    """The target refuses a record, and a later change of it waits."""
    at.app.execute("INSERT INTO emea.contact VALUES ('lettered', 'a', NULL)")
    at.app.execute("UPDATE emea.contact SET account = 'b' WHERE ext_id = 'lettered'")
    at.prometheus.await_result("orgstream_held_changes > 0")
    at.app.execute("UPDATE orgstream.held_change SET held_at = held_at - interval '2 hours'")
    yield
    mend(at)


@contextlib.contextmanager
def mass_delete(at: Monitored) -> Iterator[None]:
    """A table is emptied at once, and filled again."""
    at.insert(20_000, 22_000)
    at.prometheus.await_result("sum(orgstream_outbox_pending_changes) == 0")
    at.app.execute("CREATE TABLE public.kept AS SELECT * FROM emea.account")
    at.app.execute("DELETE FROM emea.account")
    yield
    at.app.execute("INSERT INTO emea.account SELECT * FROM public.kept")


@contextlib.contextmanager
def failing_rule(at: Monitored) -> Iterator[None]:
    """A rule fails for every record."""
    at.app.execute("INSERT INTO emea.contact SELECT 'p' || n, 'a', NULL FROM generate_series(1, 9) AS n")
    at.prometheus.await_result("orgstream_paused_rules > 0")
    yield
    at.run("rules", "resume", "contacts")
    mend(at)


def mend(at: Monitored) -> None:
    """Have the target take what it refused, and then be as before."""
    at.app.execute("ALTER TABLE us.contact ALTER COLUMN email DROP NOT NULL")
    at.run("dead-letters", "retry", "--all")
    at.prometheus.await_result("sum(orgstream_set_aside_changes) == 0")
    at.app.execute("DELETE FROM emea.contact")
    at.app.execute("DELETE FROM us.contact")
    at.app.execute("ALTER TABLE us.contact ALTER COLUMN email SET NOT NULL")


@contextlib.contextmanager
def redis_away(at: Monitored) -> Iterator[None]:
    at.redis.kill()
    yield
    at.redis.start()


@contextlib.contextmanager
def redis_full(at: Monitored) -> Iterator[None]:
    with redis.Redis.from_url(at.redis.url) as client:
        used = client.info("memory")["used_memory"]
        client.config_set("maxmemory", int(used / 0.95))
        yield
        client.config_set("maxmemory", 0)


@contextlib.contextmanager
def old_changes(at: Monitored) -> Iterator[None]:
    """The first change that is kept was captured long before the retention."""
    at.app.execute(
        "INSERT INTO orgstream.change_queue (table_schema, table_name, operation, origin) "
        "SELECT 'emea', 'nothing', 'TRUNCATE', 'application' FROM generate_series(1, 110000)"
    )
    at.app.execute(
        "UPDATE orgstream.change_queue SET captured_at = captured_at - interval '40 days' "
        "WHERE id = (SELECT min(id) FROM orgstream.change_queue)"
    )
    yield


@contextlib.contextmanager
def bloated(at: Monitored) -> Iterator[None]:
    """Rows were deleted, and nothing vacuums."""
    at.app.execute("ALTER TABLE orgstream.dead_letter SET (autovacuum_enabled = false)")
    at.app.execute(
        "INSERT INTO orgstream.dead_letter (source_table, cause, message, resolved_at) "
        "SELECT 'emea.contact', 'refused', 'old', now() FROM generate_series(1, 120000)"
    )
    at.app.execute("DELETE FROM orgstream.dead_letter WHERE message = 'old'")
    yield


@contextlib.contextmanager
def no_trigger(at: Monitored) -> Iterator[None]:
    at.app.execute("ALTER TABLE emea.account DISABLE TRIGGER USER")
    yield
    at.app.execute("ALTER TABLE emea.account ENABLE TRIGGER USER")


@contextlib.contextmanager
def connect_failing(at: Monitored) -> Iterator[None]:
    """Salesforce takes one record and refuses another, until it is told to take that too."""
    disliked = {"Nemo"}
    at.heroku["uk"].org.validate("Account", lambda new, _: "no" if new["name"] in disliked else None)
    at.app.execute("INSERT INTO emea.person VALUES ('good', 'Ann'), ('bad', 'Nemo')")
    at.prometheus.await_result('orgstream_pending_delivery_entries{org="uk"} == 2')
    at.heroku["uk"].write()
    at.prometheus.await_result('orgstream_refused_delivery_entries{org="uk"} == 1')
    yield
    disliked.clear()
    at.run("dead-letters", "retry", "--cause", "delivery")
    at.prometheus.await_result('orgstream_connect_pending_rows{org="uk"} > 0')
    at.heroku["uk"].write()
    at.prometheus.await_result('orgstream_refused_delivery_entries{org="uk"} == 0')
    at.app.execute("UPDATE uk._trigger_log_archive SET updated_at = updated_at - interval '2 hours'")


@contextlib.contextmanager
def none(at: Monitored) -> Iterator[None]:
    """Nothing is served."""
    with at.without("web"):
        yield


# In this order: what one leaves behind may not hide the next.
BREAKS: Final[dict[str, Callable[[Monitored], AbstractContextManager[None]]]] = {
    "OrgstreamLatencyObjective": slow,
    "OrgstreamRelayMissing": lambda at: at.without("relay"),
    "OrgstreamPartitionsUnheld": lambda at: at.without("worker"),
    "OrgstreamStalled": stalled,
    "OrgstreamBacklogGrowing": flooded,
    "OrgstreamCaptureBroken": no_trigger,
    "OrgstreamConnectFailing": connect_failing,
    "OrgstreamRedisMemory": redis_full,
    "OrgstreamServerAway": redis_away,
    "OrgstreamRulePaused": failing_rule,
    "OrgstreamDeadLetters": refusing,
    "OrgstreamHeldTooLong": refusing,
    "OrgstreamMassDelete": mass_delete,
    "OrgstreamRetentionBehind": old_changes,
    "OrgstreamTableBloat": bloated,
}
LASTING: Final = {"OrgstreamLatencyObjective", "OrgstreamRetentionBehind", "OrgstreamTableBloat"}  # by nature


@pytest.mark.slow
@pytest.mark.parametrize("alert", BREAKS)
def test_what_is_broken_makes_its_alert_true(alert: str, monitored: Monitored) -> None:
    expression = monitored.prometheus.alert_rules()[alert]["query"]
    monitored.prometheus.await_result(expression, empty=True)
    with BREAKS[alert](monitored):
        monitored.prometheus.await_result(expression)
    if alert not in LASTING:
        monitored.prometheus.await_result(expression, empty=True)


def test_every_alert_is_broken_and_leads_to_its_section(monitored: Monitored) -> None:
    rules = monitored.prometheus.alert_rules()
    assert set(rules) == {*BREAKS, "OrgstreamMetricsMissing"}
    for rule in rules.values():
        page, _, section = rule["annotations"]["runbook"].partition("#")
        assert page == "docs/operations.md"
        assert section in anchors(DOCS / "operations.md"), rule["name"]
        assert {"summary", "description"} <= set(rule["annotations"])
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_without_web_there_are_no_metrics(monitored: Monitored) -> None:
    expression = monitored.prometheus.alert_rules()["OrgstreamMetricsMissing"]["query"]
    monitored.prometheus.await_result("orgstream_up")
    with monitored.without("web"):
        monitored.prometheus.await_result(expression)


@pytest.mark.drill
@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "config", "prometheus.yml"],
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts_test.yml"],
    ],
    ids=" ".join,
)
def test_the_files_satisfy_promtool(arguments: list[str]) -> None:
    done = subprocess.run(
        [program("promtool"), *arguments], cwd=ALERTS.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alerts_name_only_metrics_that_exist() -> None:
    named = set(re.findall(r"\borgstream_[a-z_]+", ALERTS.read_text(encoding="utf-8")))
    listed = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert {
        name for name in named if f"`{name.removesuffix('_bucket').removesuffix('_count')}`" not in listed
    } == set()
