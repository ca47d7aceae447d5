"""The watch over deliveries: what it counts, and what cannot stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import psycopg
import pytest

from pipeline.ports import Fenced
from pipeline.postgres.deliveries import BULK, Deliveries
from pipeline.rules import store
from stages.fold import Effect, Record
from stages.layers import Statement
from stages.rules.compile import compile_rules

if TYPE_CHECKING:
    from tests.fixtures.connected import Connected
    from tests.fixtures.world import World


def relay_term(uk: Connected) -> int:
    """The term of the active relay."""
    return int(uk.world.rows("SELECT term FROM orgstream.lease WHERE stage = 'relay'")[0][0])


def test_only_our_own_writes_are_counted(uk: Connected) -> None:
    uk.account("a")
    uk.apply()
    uk.world.app.execute("INSERT INTO uk.account (ext_id__c, name) VALUES ('own', 'Own')")
    uk.account("a", name="Ben")
    uk.apply()
    assert uk.deliveries("table_name, state, entries") == [("account", "pending", 1)] * 2
    uk.heroku.write()
    uk.look()
    assert uk.deliveries() == [("accepted", 1, 0)] * 2
    exposed = uk.world.metrics.exposition().decode()
    assert 'orgstream_deliveries_total{org="uk",outcome="accepted"} 2.0' in exposed


def test_a_write_that_changes_nothing_is_nothing_to_deliver(uk: Connected) -> None:
    uk.world.app.execute("INSERT INTO uk.account (ext_id__c, name, city__c) VALUES ('a', 'Ann', 'Rome')")
    uk.account("a")
    uk.apply()
    assert uk.world.rows("SELECT count(*) FROM orgstream.applied") == [(1,)]
    assert uk.deliveries() == []


def test_an_entry_that_is_stuck_holds_up_no_other_delivery(uk: Connected) -> None:
    for number in range(3):
        uk.account(f"k{number}")
        uk.apply()
    uk.heroku.write()
    uk.world.app.execute(
        "INSERT INTO uk._trigger_log SELECT (a).* FROM"
        " (SELECT a FROM uk._trigger_log_archive AS a ORDER BY id LIMIT 1) AS first"
    )
    uk.world.app.execute("DELETE FROM uk._trigger_log_archive WHERE id = (SELECT id FROM uk._trigger_log)")
    uk.world.app.execute("UPDATE uk._trigger_log SET state = 'PENDING'")
    uk.look()
    assert [state for state, *_ in uk.deliveries()] == ["pending", "accepted", "accepted"]


def test_what_a_purge_took_before_anybody_looked_is_unknown(uk: Connected) -> None:
    uk.account("a")
    uk.apply()
    uk.heroku.write()
    uk.world.app.execute("DELETE FROM uk._trigger_log_archive")
    uk.look()
    assert uk.deliveries("state") == [("pending",)]  # it may be between log and archive
    uk.world.app.execute("UPDATE orgstream.delivery SET written_at = written_at - interval '8 days'")
    uk.look()
    assert uk.deliveries() == [("unknown", 0, 0)]


def test_entries_that_are_gone_hold_up_no_other_delivery(
    uk: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than are looked at in one piece."""
    monkeypatch.setattr("pipeline.delivery.watch._ROWS", 2)
    for number in range(5):
        uk.account(f"k{number}")
        uk.apply()
    uk.heroku.write()
    uk.world.app.execute("DELETE FROM uk._trigger_log_archive WHERE id <= 4")
    for _ in range(3):
        uk.look()
    assert [state for (state,) in uk.deliveries("state")] == [*["pending"] * 4, "accepted"]


def test_a_log_that_cannot_be_read_does_not_stop_the_relay(uk: Connected) -> None:
    uk.account("a")
    uk.apply()
    uk.heroku.write()
    uk.world.app.execute("ALTER TABLE uk._trigger_log_archive RENAME COLUMN txid TO was_txid")
    uk.look()
    uk.account("b")
    uk.apply()
    assert uk.world.rows("SELECT count(*) FROM uk.account") == [(2,)]
    assert uk.relay.leading
    uk.world.app.execute("ALTER TABLE uk._trigger_log_archive RENAME COLUMN was_txid TO txid")
    uk.world.clock.advance(60)
    uk.look()
    assert [state for (state,) in uk.deliveries("state")] == ["accepted", "pending"]


def test_a_log_that_somebody_has_locked_keeps_no_change_waiting(uk: Connected) -> None:
    uk.account("a")
    uk.apply()
    uk.heroku.write()
    session = uk.world.session()
    session.execute("LOCK uk._trigger_log_archive")
    uk.look()  # it would wait for lock_timeout, ten seconds by default, and then count as an outage
    assert uk.deliveries("state") == [("pending",)]
    assert uk.relay.leading
    session.rollback()
    uk.world.clock.advance(60)
    uk.look()
    assert uk.deliveries("state") == [("accepted",)]


def test_without_a_log_rows_are_written_all_the_same(uk: Connected) -> None:
    uk.world.app.execute("DROP TRIGGER hc_account_logtrigger ON uk.account")
    uk.world.app.execute("DROP TABLE uk._trigger_log, uk._trigger_log_archive")
    uk.account("a")
    uk.apply()
    assert uk.world.rows("SELECT name FROM uk.account") == [("Ann",)]
    assert uk.deliveries() == []


def test_a_relay_that_was_superseded_settles_nothing(uk: Connected) -> None:
    uk.account("a")
    uk.apply()
    uk.heroku.write()
    with pytest.raises(Fenced):
        uk.world.watch().run(relay_term(uk) - 1, 0)
    assert uk.deliveries("state") == [("pending",)]


def test_what_was_settled_long_ago_is_forgotten(uk: Connected) -> None:
    uk.account("a")
    uk.replicate()
    uk.world.app.execute("UPDATE orgstream.delivery SET settled_at = settled_at - interval '11 minutes'")
    uk.world.clock.advance(60)
    uk.look()
    assert uk.deliveries() == []


def test_bulks_of_one_org_are_written_one_after_another(uk: Connected) -> None:
    """Small writes do not wait; their entries may lie between."""
    rules = compile_rules(store.live(uk.world.app) or pytest.fail("there are no rules"))
    (rule,) = [rule for rule in rules.by_id.values() if rule.rule.name == "accounts"]
    records = [Record((str(number),)) for number in range(BULK)]
    bulk = Statement(Effect.UPSERT, rule, ("emea",), (), (), records)
    small = Statement(Effect.UPSERT, rule, ("emea",), (), (), records[1:])
    one, other = uk.world.session(), uk.world.session()
    Deliveries(one).begin([bulk])
    other.execute("SET lock_timeout = '1ms'")
    assert Deliveries(other).begin([small]) == {"uk": 0}
    with pytest.raises(psycopg.errors.LockNotAvailable):
        Deliveries(other).begin([bulk])


def test_plain_tables_ask_nothing(world: World) -> None:
    world.apply_rules()
    rules = compile_rules(store.live(world.app) or pytest.fail("there are no rules"))
    statements = [Statement(Effect.UPSERT, rule, (), (), (), []) for rule in rules.by_id.values()]
    nobody = cast(Any, None)  # whatever were asked of it would fail
    deliveries = Deliveries(nobody)
    assert deliveries.begin(statements) == {}
    deliveries.record(nobody, {})
    assert not rules.gathers
