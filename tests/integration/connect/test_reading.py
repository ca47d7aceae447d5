"""What users do in Salesforce, as it arrives in the tables."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pipeline.connect import Field, Mapping, SObject
from tests.integration.connect.world import World

if TYPE_CHECKING:
    import pytest


def test_a_record_made_in_salesforce_arrives_whole(world: World) -> None:
    sfid = world.org.create("Account", {"Name": "Ann", "Amount__c": 1.25, "Day__c": "2026-01-02"})
    assert world.heroku.quiet() is False
    assert world.heroku.read() == 1
    row = world.row("SELECT * FROM emea.account")
    assert (row["sfid"], row["name"], row["amount__c"], row["active__c"]) == (sfid, "Ann", 1.25, False)
    assert (row["_hc_lastop"], row["isdeleted"], row["id"]) == ("SYNCED", False, 1)
    assert world.log() == []
    assert world.heroku.read() == 0


def test_an_edit_updates_the_row_in_place(world: World) -> None:
    sfid = world.org.create("Account", {"Name": "Ann"})
    world.heroku.read()
    world.clock.advance(61)
    world.org.update("Account", sfid, {"Name": "Bob"})
    world.org.update("Account", sfid, {"Status__c": "s"})
    assert world.heroku.read() == 1
    row = world.row("SELECT * FROM emea.account")
    assert (row["id"], row["name"], row["status__c"]) == (1, "Bob", "s")
    assert row["systemmodstamp"] == datetime.fromisoformat("2026-03-01T12:01:01")
    assert world.log() == []


def test_edits_in_one_second_have_one_stamp_and_none_is_missed(world: World) -> None:
    sfid = world.org.create("Account", {"Name": "v1"})
    world.heroku.read()
    first = world.row("SELECT * FROM emea.account")
    world.org.update("Account", sfid, {"Name": "v2"})
    world.heroku.read()
    second = world.row("SELECT * FROM emea.account")
    assert first["systemmodstamp"] == second["systemmodstamp"]
    assert second["name"] == "v2"


def test_a_delete_in_salesforce_removes_the_row(world: World) -> None:
    sfid = world.org.create("Account", {"Name": "Ann"})
    world.heroku.read()
    world.org.delete("Account", sfid)
    world.heroku.read()
    assert world.rows("SELECT FROM emea.account") == []
    assert world.log() == []


def test_an_undeleted_record_comes_back_with_its_sfid_and_a_new_id(world: World) -> None:
    sfid = world.org.create("Account", {"Name": "Ann", "Ext_Id__c": "x"})
    world.heroku.read()
    before = world.account()
    world.org.delete("Account", sfid)
    world.heroku.read()
    world.org.undelete("Account", sfid)
    world.heroku.read()
    after = world.account()
    assert after["sfid"] == before["sfid"] == sfid
    assert after["id"] > before["id"]
    assert after["createddate"] == before["createddate"]


def test_what_was_deleted_for_good_before_the_poll_stays_in_the_table(world: World) -> None:
    sfid = world.org.create("Account", {"Name": "Ann"})
    world.heroku.read()
    world.org.delete("Account", sfid)
    world.org.empty_recycle_bin()
    assert world.heroku.quiet() is True
    world.heroku.read()
    assert world.row("SELECT sfid FROM emea.account")["sfid"] == sfid


def test_a_merge_removes_the_loser_updates_the_winner_and_re_points_the_children(world: World) -> None:
    winner, loser = (world.org.create("Account", {"Name": n, "Ext_Id__c": n}) for n in ("w", "l"))
    world.org.create("Contact", {"LastName": "Child", "AccountId": loser})
    world.heroku.read()
    world.org.merge("Account", winner, [loser], {"Name": "Both"})
    assert world.heroku.read() == 3
    assert [(r["sfid"], r["name"]) for r in world.rows("SELECT * FROM emea.account")] == [(winner, "Both")]
    child = world.row("SELECT * FROM emea.contact")
    assert (child["accountid"], child["account__ext_id__c"]) == (winner, "w")


def test_a_record_that_gives_up_its_external_id_to_another_is_not_taken_for_it(world: World) -> None:
    first = world.org.create("Account", {"Name": "First", "Ext_Id__c": "x"})
    world.heroku.read()
    world.org.delete("Account", first)
    second = world.org.create("Account", {"Name": "Second", "Ext_Id__c": "x"})
    world.heroku.read()
    assert [r["sfid"] for r in world.rows("SELECT * FROM emea.account")] == [second]


def test_a_computed_value_that_a_parent_changes_is_not_polled(database_url: str) -> None:
    rate = [1.0]
    priced = SObject(
        "Price__c", (Field("Net__c", "number"), Field("Gross__c", "number", formula=lambda _: rate[0]))
    )
    world = World(database_url, [Mapping(priced)])
    sfid = world.org.create("Price__c", {"Net__c": 1})
    world.heroku.read()
    rate[0] = 2.0
    assert world.heroku.read() == 0
    world.org.update("Price__c", sfid, {})
    world.heroku.read()
    assert world.row("SELECT gross__c FROM emea.price__c")["gross__c"] == 2.0
    world.close()


def test_encrypted_values_arrive_masked(database_url: str) -> None:
    secret = SObject("Secret__c", (Field("Code__c", "encrypted(20)"),))
    world = World(database_url, [Mapping(secret)])
    world.app.execute("INSERT INTO emea.secret__c (code__c) VALUES ('1234')")
    world.heroku.settle()
    assert world.row("SELECT code__c FROM emea.secret__c")["code__c"] == "*****"
    world.close()


def test_a_record_that_a_unique_index_refuses_is_left_out_and_the_rest_arrives(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.app.execute("SET xmlbinary = hex")
    world.app.execute("""INSERT INTO emea."user" (username) VALUES ('taken')""")
    first = world.org.create("User", {"Username": "free"})
    world.heroku.read()
    world.org.update("User", first, {"Username": "taken"})
    second = world.org.create("User", {"Username": "other"})
    world.heroku.read()
    rows = world.rows("""SELECT sfid, username FROM emea."user" ORDER BY id""")
    assert [(row["sfid"], row["username"]) for row in rows] == [
        (None, "taken"),
        (first, "free"),
        (second, "other"),
    ]
    printed = capsys.readouterr()  # logging goes to stdout until it is configured, then to stderr
    assert "connect_read_failed" in printed.out + printed.err


def test_thousands_of_records_arrive_in_the_order_of_their_changes(world: World) -> None:
    sfids = [world.org.create("Account", {"Name": f"n{number}"}) for number in range(4_500)]
    assert world.heroku.read() == 4_500
    assert [row["sfid"] for row in world.rows("SELECT sfid FROM emea.account ORDER BY id")] == sfids
