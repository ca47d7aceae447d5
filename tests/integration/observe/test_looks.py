"""What the looks read from both servers is what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from pipeline.metrics import labels, standing
from pipeline.metrics.looks import look_of
from pipeline.observation import observe
from pipeline.settings import Url
from tests.integration.waits.conftest import LOOKUP, Family
from tests.integration.worker.mass import Mass

if TYPE_CHECKING:
    from pipeline.metrics.description import Metric
    from tests.fixtures.world import World

Readings = dict[tuple[str, ...], float]


def look(world: World, **changed: object) -> Readings:
    """Every reading by the metric's name and its labels' values."""
    settings = msgspec.structs.replace(world.settings, **changed)
    return {(r.metric.name, *r.labels.values()): r.value for r in look_of(settings)()}


def value(readings: Readings, metric: Metric, *labels: str) -> float:
    return readings[metric.name, *labels]


def test_nothing_is_missing_before_the_first_rule(world: World) -> None:
    readings = look(world)
    assert value(readings, standing.OUTBOX_PENDING) == 0
    assert value(readings, standing.CAPTURED_CHANGES) == 0
    assert value(readings, standing.PARTITIONS_HELD, "relay") == 0
    assert value(readings, standing.PROCESSES, "worker") == 0
    assert value(readings, standing.DEAD_LETTERS_NOW, "refused") == 0
    assert value(readings, standing.PENDING_ENTRIES, "apply") == 0


def test_rules_have_zeros_before_the_first_change(world: World) -> None:
    world.apply_rules()
    readings = look(world)
    assert value(readings, standing.RULE_INFO, "accounts", "emea", "us") == 1
    for reason in labels.REASONS:
        assert value(readings, standing.SET_ASIDE, "accounts", reason) == 0


def test_the_backlog_and_then_what_lies_in_the_streams(world: World) -> None:
    world.apply_rules()
    relay = world.relay()
    world.settle(relay)
    world.app.execute("INSERT INTO emea.account SELECT 'k' || n FROM generate_series(1, 7) AS n")
    readings = look(world)
    assert value(readings, standing.OUTBOX_PENDING) == 7
    marks = value(readings, standing.LAG_ENTRIES, "filter")  # a watermark for each partition
    assert value(readings, standing.PARTITIONS_HELD, "relay") == 1
    assert standing.OUTBOX_OLDEST.name in {name for name, *_ in readings}
    world.settle(relay)
    readings = look(world)
    assert value(readings, standing.OUTBOX_PENDING) == 0
    assert value(readings, standing.LAG_ENTRIES, "filter") >= marks + 7
    assert standing.OUTBOX_OLDEST.name not in {name for name, *_ in readings}
    assert (standing.OLDEST_PENDING.name, "filter") in readings


def test_what_is_set_aside_is_told_by_rule(world: World) -> None:
    world.apply_rules()
    relay, worker = world.relay(), world.worker()
    world.app.execute("INSERT INTO emea.contact VALUES ('c', 'a', NULL)")  # the target wants an email
    world.settle(relay, worker)
    world.app.execute("UPDATE emea.contact SET email = 'e'")
    world.settle(relay, worker)
    readings = look(world)
    assert value(readings, standing.SET_ASIDE, "contacts", "dead") == 1
    assert value(readings, standing.SET_ASIDE, "contacts", "held") == 1
    assert value(readings, standing.SET_ASIDE, "accounts", "dead") == 0
    assert value(readings, standing.HELD_CHANGES) == 1
    assert value(readings, standing.DEAD_LETTERS_NOW, "refused") == 1
    assert value(readings, standing.OLDEST_HELD) > 0


def test_what_waits_for_a_record_is_told_apart_from_what_is_held(world: World) -> None:
    family = Family(world)
    family.apply(LOOKUP)
    family.child("c1", "p1", "first")
    family.child("c1", "p1", "second")
    family.settle()
    readings = look(world)
    aside = {reason: value(readings, standing.SET_ASIDE, "children", reason) for reason in labels.REASONS}
    assert aside == {"dead": 0, "held": 1, "approval": 0, "paused": 0, "waiting": 1}
    assert (value(readings, standing.HELD_CHANGES), value(readings, standing.WAITING_CHANGES)) == (1, 1)
    [rule] = [rule for rule in observe(world.settings).by_rule if rule.aside]
    assert (rule.rule, rule.held, rule.waiting) == ("children", 1, 1)


def test_what_waits_for_approval_is_told_apart_from_what_is_held(world: World) -> None:
    mass = Mass(world)
    mass.begin()
    mass.run("DELETE FROM emea.account WHERE amount <= 20")
    readings = look(world)
    aside = {reason: value(readings, standing.SET_ASIDE, "accounts", reason) for reason in labels.REASONS}
    assert aside == {"dead": 1, "held": 0, "approval": 20, "paused": 0, "waiting": 0}
    assert value(readings, standing.HELD_CHANGES) == 20
    [rule] = [rule for rule in observe(world.settings).by_rule if rule.aside]
    assert (rule.rule, rule.held, rule.approval) == ("accounts", 0, 20)


@pytest.mark.parametrize(
    "harm",
    [
        'DROP TRIGGER "00_orgstream_update" ON emea.account',
        'ALTER TABLE emea.account DISABLE TRIGGER "00_orgstream_capture"',
        "DROP TABLE emea.account",
    ],
)
def test_a_capture_that_lacks_a_trigger_is_told(world: World, harm: str) -> None:
    world.apply_rules()
    assert value(look(world), standing.BROKEN_CAPTURES, "emea.account") == 0
    world.app.execute(harm.encode())
    readings = look(world)
    assert value(readings, standing.BROKEN_CAPTURES, "emea.account") == 1
    assert value(readings, standing.BROKEN_CAPTURES, "emea.contact") == 0


def test_the_tables_have_their_sizes(world: World) -> None:
    world.apply_rules()
    world.app.execute("INSERT INTO emea.account SELECT 'k' || n FROM generate_series(1, 500) AS n")
    readings = look(world)
    assert value(readings, standing.STORAGE, "change_queue") > 100_000
    assert value(readings, standing.STORAGE, "applied") > 0
    assert value(readings, standing.OLDEST_KEPT) > 0
    assert value(readings, standing.RETENTION) == world.settings.retention


def test_a_server_that_is_away_takes_only_its_own_metrics_along(world: World) -> None:
    readings = look(world, redis_url=Url("redis://127.0.0.1:1"), connect_timeout=1.0)
    assert value(readings, standing.SERVER_UP, "redis") == 0
    assert value(readings, standing.SERVER_UP, "postgres") == 1
    assert value(readings, standing.OUTBOX_PENDING) == 0
    readings = look(world, database_url=Url("postgresql://127.0.0.1:1/x"), connect_timeout=2.0)
    assert value(readings, standing.SERVER_UP, "postgres") == 0
    assert value(readings, standing.SERVER_UP, "redis") == 1
    assert value(readings, standing.REDIS_MEMORY) > 0
