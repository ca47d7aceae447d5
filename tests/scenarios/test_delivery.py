"""A target org behind Heroku Connect: delivered means that Salesforce accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.connect import Mapping
from tests.fixtures.add_on import add_on
from tests.fixtures.connected import OBJECTS, Connected

if TYPE_CHECKING:
    from tests.fixtures.world import World


def test_an_insert_that_salesforce_refuses_surfaces_and_is_delivered_after_the_fix(uk: Connected) -> None:
    wanted = {"city__c": "Rome"}
    uk.org.validate("Account", lambda new, _: "no such city" if new["city__c"] != wanted["city__c"] else None)
    uk.account("good")
    uk.account("bad", city="Atlantis")
    uk.replicate()
    assert uk.deliveries() == [("refused", 1, 1)]
    uk.account("bad", name="Ben", city="Atlantis")
    uk.replicate()  # Heroku Connect has nothing to update
    assert uk.letters() == [("delivery", "accounts", '{"ext_id" : "bad"}', "no such city", 2)]
    assert uk.record("good") is not None
    wanted["city__c"] = "Atlantis"
    uk.ask("retry")
    uk.replicate()
    assert uk.letters() == []
    record = uk.record("bad")
    assert record is not None
    assert (record["name"], record["city__c"]) == ("Ben", "Atlantis")


def test_a_duplicate_of_its_own_external_id_counts_as_delivered(world: World) -> None:
    """The insert reaches Salesforce, the answer is lost, and Heroku Connect tries again."""
    mappings = [Mapping(sobject, upsert=False) for sobject in OBJECTS]
    with add_on(str(world.settings.database_url), "uk", *mappings) as heroku:
        uk = Connected(world, heroku)
        heroku.lose_replies(1)
        uk.account("a")
        uk.replicate()
        assert uk.deliveries() == [("pending", 0, 0)]
        heroku.write()
        uk.look()
        ((state, message),) = world.rows("SELECT state, sf_message FROM uk._trigger_log_archive")
        assert (state, message[:21]) == ("FAILED", "duplicate value found")
        assert (uk.deliveries(), uk.letters()) == ([("accepted", 1, 0)], [])
        assert len(uk.org.query("Account")) == 1


def test_a_failure_is_told_though_the_row_says_synced(uk: Connected) -> None:
    """Two failures of one status, and the status trigger makes SYNCED of the second."""
    uk.org.validate("Account", lambda _, __: "not today")
    uk.account("a")
    uk.apply()
    uk.account("a", name="Ben")
    uk.replicate()
    assert uk.world.rows("SELECT _hc_lastop, _hc_err FROM uk.account") == [("SYNCED", None)]
    assert [letter[3] for letter in uk.letters()] == ["not today"]
    assert uk.world.rows("SELECT name, _hc_lastop FROM uk.account") == [("Ben", "SYNCED")]


def test_while_heroku_connect_is_paused_the_lag_is_told_and_all_catches_up_in_order(uk: Connected) -> None:
    uk.account("a", name="1")
    uk.replicate()
    uk.heroku.pause()
    seen: list[Any] = []
    uk.org.automate("Account", lambda new, _: seen.append(new["name"]))
    for minute in range(15):
        uk.account("a", name=f"{minute + 2}")
        uk.apply()
        uk.world.clock.advance(60)
    uk.look()
    assert [state for state, *_ in uk.deliveries()] == ["accepted", *["pending"] * 15]
    ((org, pending, refused),) = [(o.org, o.pending, o.refused) for o in uk.status()]
    assert (org, pending, refused) == ("uk", 15, 0)
    uk.heroku.resume()
    uk.heroku.write()
    uk.look()
    assert seen == [f"{minute + 2}" for minute in range(15)]
    assert {state for state, *_ in uk.deliveries()} == {"accepted"}
    assert [o.pending for o in uk.status()] == [0]
