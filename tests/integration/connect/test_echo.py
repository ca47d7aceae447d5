"""A written record's way: PENDING, INSERTED with its sfid, and SYNCED with what Salesforce made of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.connect.world import World


def test_the_echo_comes_in_two_steps(world: World) -> None:
    world.insert_account()
    assert (world.account()["_hc_lastop"], world.account()["sfid"]) == ("PENDING", None)

    assert world.heroku.write() == 1
    first = world.account()
    (record,) = world.org.query("Account")
    assert first["sfid"] == record["sfid"]
    assert len(first["sfid"]) == 18
    assert first["_hc_lastop"] == "INSERTED"
    untouched = ("systemmodstamp", "createddate", "isdeleted", "shout__c")
    assert [first[column] for column in untouched] == [None] * 4

    world.clock.advance(60)
    assert world.heroku.read() == 1
    second = world.account()
    stamp = datetime.fromisoformat("2026-03-01T12:00:00")
    assert [second[column] for column in untouched] == [stamp, stamp, False, "ANN"]
    assert (second["_hc_lastop"], second["id"], second["sfid"]) == ("SYNCED", first["id"], first["sfid"])


def test_an_update_is_echoed_in_two_steps(world: World) -> None:
    world.insert_account()
    world.heroku.settle()
    world.clock.advance(5.9)
    world.rename("Bob")
    assert world.account()["_hc_lastop"] == "PENDING"
    world.heroku.write()
    assert world.account()["_hc_lastop"] == "UPDATED"
    assert world.account()["shout__c"] == "ANN"
    world.heroku.read()
    assert (world.account()["_hc_lastop"], world.account()["shout__c"]) == ("SYNCED", "BOB")
    assert world.account()["systemmodstamp"] == datetime.fromisoformat("2026-03-01T12:00:06")


def test_the_log_goes_from_new_over_pending_to_the_archive(world: World) -> None:
    world.insert_account()
    assert world.log() == [("INSERT", "NEW")]
    world.heroku.send()
    assert (world.log(), world.archive()) == ([("INSERT", "PENDING")], [])
    world.heroku.record()
    assert (world.log(), world.archive()) == ([], [("INSERT", "SUCCESS")])
    entry = world.row("SELECT * FROM emea._trigger_log_archive")
    assert entry["sfid"] == world.account()["sfid"]
    assert entry["processed_at"] == world.clock.now
    assert entry["processed_tx"] is not None
    assert world.heroku.quiet() is False
    world.heroku.read()
    assert world.heroku.quiet() is True


def test_values_come_back_as_salesforce_keeps_them(world: World) -> None:
    world.app.execute(
        """INSERT INTO emea.account (ext_id__c, name, status__c, amount__c, active__c, day__c, seen_at__c)
        VALUES ('x', '  Ann ', '', 12345678901234567, NULL, '2026-02-03', '2026-02-03 04:05:06.789')"""
    )
    world.heroku.settle()
    row = world.account()
    assert (row["name"], row["status__c"], row["active__c"]) == ("Ann", None, False)
    assert row["amount__c"] == 12345678901234600
    assert row["day__c"] == date(2026, 2, 3)
    assert row["seen_at__c"] == datetime.fromisoformat("2026-02-03T04:05:06")


@pytest.mark.parametrize(
    "name", ['Quo"te', "back\\slash", "a=>b, c", "line\nbreak", "żółć 😀", "NULL", "%s {}"]
)
def test_every_text_survives_the_log(world: World, name: str) -> None:
    world.insert_account(name=name)
    world.heroku.settle()
    assert [row["name"] for row in world.org.query("Account")] == [name]
    assert world.account()["name"] == name


def test_a_child_names_its_parent_by_external_id_and_the_echo_fills_the_id(world: World) -> None:
    with world.app.transaction():
        world.insert_account("parent")
        world.app.execute("INSERT INTO emea.contact (lastname, account__ext_id__c) VALUES ('L', 'parent')")
    world.heroku.write()
    assert world.row("SELECT accountid FROM emea.contact")["accountid"] is None
    world.heroku.read()
    contact = world.row("SELECT * FROM emea.contact")
    assert contact["accountid"] == world.account("parent")["sfid"]
    assert contact["account__ext_id__c"] == "parent"


def test_a_flow_of_the_org_shows_in_the_echo(world: World) -> None:
    world.org.automate("Account", lambda new, _: {"Status__c": f"seen {new['name']}"})
    world.insert_account()
    world.heroku.write()
    assert world.account()["status__c"] is None
    world.heroku.read()
    assert world.account()["status__c"] == "seen Ann"


def test_columns_that_salesforce_keeps_or_computes_are_not_sent(world: World) -> None:
    world.insert_account()
    world.heroku.settle()
    world.app.execute("UPDATE emea.account SET shout__c = 'mine', systemmodstamp = '2000-01-01'")
    assert world.heroku.write() == 1
    assert world.archive()[-1] == ("UPDATE", "IGNORED")
    assert world.account()["_hc_lastop"] == "PENDING"


def test_an_insert_into_salesforce_is_an_upsert_by_the_unique_identifier(world: World) -> None:
    sfid = world.org.create("Account", {"Name": "Made there", "Ext_Id__c": "x"})
    world.insert_account()
    world.heroku.write()
    assert world.account()["sfid"] == sfid
    world.heroku.read()
    assert [row["name"] for row in world.org.query("Account")] == ["Ann"]
    assert world.account()["_hc_lastop"] == "SYNCED"


def test_a_delete_reaches_salesforce(world: World) -> None:
    world.insert_account()
    world.heroku.settle()
    world.app.execute("DELETE FROM emea.account")
    world.heroku.settle()
    assert world.org.query("Account") == []
    assert world.archive()[-1] == ("DELETE", "SUCCESS")
    assert world.rows("SELECT FROM emea.account") == []
