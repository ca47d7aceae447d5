"""Records that Salesforce refuses: what the row says, what the log says, and how they are sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
import pytest

from pipeline.connect import Field, Mapping, SObject
from tests.integration.connect.world import ACCOUNT, World

if TYPE_CHECKING:
    from collections.abc import Mapping as Row


def refuse_bad_names(world: World) -> None:
    world.org.validate("Account", lambda new, _: "bad name" if str(new["name"]).startswith("Bad") else None)


def failures(world: World) -> list[str]:
    return [
        row["sf_message"]
        for row in world.rows("SELECT * FROM emea._trigger_log_archive WHERE state = 'FAILED' ORDER BY id")
    ]


def test_a_refused_insert_is_told_in_the_row_and_in_the_log(world: World) -> None:
    world.app.execute("INSERT INTO emea.account (ext_id__c) VALUES ('x')")
    world.heroku.settle()
    row = world.account()
    assert (row["_hc_lastop"], row["sfid"]) == ("FAILED", None)
    error = msgspec.json.decode(row["_hc_err"])
    assert error["op"] == "INSERT"
    assert error["msg"] == "Required fields are missing: [Name]"
    assert error["code"] == "REQUIRED_FIELD_MISSING"
    assert failures(world) == ["Required fields are missing: [Name]"]


def test_a_refused_update_leaves_salesforce_and_the_row_apart(world: World) -> None:
    refuse_bad_names(world)
    world.insert_account()
    world.heroku.settle()
    world.rename("Bad")
    world.heroku.settle()
    assert world.org.query("Account")[0]["name"] == "Ann"
    assert (world.account()["name"], world.account()["_hc_lastop"]) == ("Bad", "FAILED")


def test_failed_over_failed_shows_synced_and_only_the_log_knows(world: World) -> None:
    refuse_bad_names(world)
    world.insert_account()
    world.heroku.settle()
    world.rename("Bad 1")
    world.rename("Bad 2")
    world.heroku.write()
    row = world.account()
    assert (row["name"], row["_hc_lastop"], row["_hc_err"]) == ("Bad 2", "SYNCED", None)
    assert failures(world) == ["bad name", "bad name"]


def test_an_application_write_between_makes_the_second_failure_show(world: World) -> None:
    refuse_bad_names(world)
    world.insert_account()
    world.heroku.settle()
    for name in ("Bad 1", "Bad 2"):
        world.rename(name)
        world.heroku.write()
        assert world.account()["_hc_lastop"] == "FAILED"


def test_a_delete_of_what_is_gone_is_refused(world: World) -> None:
    world.insert_account()
    world.heroku.settle()
    world.org.delete("Account", world.account()["sfid"])
    world.app.execute("DELETE FROM emea.account")
    world.heroku.settle()
    assert failures(world) == ["entity is deleted"]


def test_ordered_writes_fail_every_update_after_a_failed_insert(world: World) -> None:
    refuse_bad_names(world)
    world.insert_account(name="Bad")
    world.heroku.write()
    world.rename("Good")
    world.heroku.write()
    assert world.archive() == [("INSERT", "FAILED"), ("UPDATE", "FAILED")]
    assert world.org.query("Account") == []
    assert "insert" in failures(world)[1]


def test_merged_writes_try_a_failed_insert_again_with_the_next_update(merging: World) -> None:
    refuse_bad_names(merging)
    merging.insert_account(name="Bad")
    merging.heroku.write()
    merging.rename("Good")
    merging.heroku.settle()
    assert merging.archive() == [("INSERT", "FAILED"), ("UPDATE", "SUCCESS")]
    assert merging.account()["_hc_lastop"] == "SYNCED"
    assert [row["ext_id__c"] for row in merging.org.query("Account")] == ["x"]


def test_merged_writes_send_a_record_once(merging: World) -> None:
    seen: list[Any] = []
    merging.insert_account()
    merging.org.automate("Account", lambda new, _: seen.append(new["name"]))
    merging.rename("Bob")
    merging.rename("Cid")
    merging.heroku.settle()
    assert merging.archive() == [("INSERT", "MERGED"), ("UPDATE", "MERGED"), ("UPDATE", "SUCCESS")]
    assert seen == ["Cid"]
    assert merging.account()["name"] == "Cid"


@pytest.mark.parametrize(
    "again",
    [
        "UPDATE emea._trigger_log_archive SET state = 'REQUEUE' WHERE state = 'FAILED'",
        "SELECT emea.hc_capture_insert_from_row(hstore(t.*), 'account') FROM emea.account AS t",
    ],
    ids=["requeue", "capture"],
)
def test_a_failed_insert_can_be_sent_again_once_its_cause_is_mended(world: World, again: str) -> None:
    world.app.execute("INSERT INTO emea.account (ext_id__c) VALUES ('x')")
    world.heroku.settle()
    world.org.automate("Account", lambda new, _: None if new.get("name") else {"Name": "Unnamed"})
    world.app.execute(again)
    world.heroku.settle()
    assert world.account()["name"] == "Unnamed"
    requeued = "REQUEUED" if "REQUEUE" in again else "FAILED"
    assert world.archive() == [("INSERT", requeued), ("INSERT", "SUCCESS")]


def test_an_update_can_be_captured_again_with_chosen_columns(world: World) -> None:
    world.insert_account()
    world.heroku.settle()
    world.app.execute("UPDATE emea.account SET status__c = 's', amount__c = 2")
    world.app.execute("DELETE FROM emea._trigger_log")  # as if it had been lost
    world.app.execute(
        """SELECT emea.hc_capture_update_from_row(hstore(t.*), 'account', ARRAY['status__c'])
        FROM emea.account AS t"""
    )
    world.heroku.settle()
    row = world.org.query("Account")[0]
    assert (row["status__c"], row["amount__c"]) == ("s", None)


def test_a_lost_answer_makes_the_write_come_twice_and_the_identifier_keeps_it_one(world: World) -> None:
    world.heroku.lose_replies(1)
    world.insert_account()
    world.rename("Bob")
    world.heroku.write()
    assert world.log() == [("INSERT", "NEW"), ("UPDATE", "NEW")]
    assert len(world.org.query("Account")) == 1
    world.heroku.settle()
    assert [row["name"] for row in world.org.query("Account")] == ["Bob"]
    assert world.archive() == [("INSERT", "SUCCESS"), ("UPDATE", "SUCCESS")]


def test_without_upsert_the_repeated_insert_meets_its_own_record(database_url: str) -> None:
    world = World(database_url, [Mapping(ACCOUNT, upsert=False)])
    world.heroku.lose_replies(1)
    world.insert_account()
    world.heroku.write()
    world.heroku.write()
    (message,) = failures(world)
    (record,) = world.org.query("Account")
    expected = f"duplicate value found: Ext_Id__c duplicates value on record with id: {record['sfid']}"
    assert message == expected
    assert world.account()["_hc_lastop"] == "FAILED"
    world.heroku.read()  # which knows the row by its identifier
    row = world.account()
    assert (row["sfid"], row["_hc_lastop"], row["_hc_err"]) == (record["sfid"], "SYNCED", None)
    world.close()


def test_a_second_unique_field_can_refuse_an_insert(database_url: str) -> None:
    coded = SObject(
        "Coded__c",
        (Field("Ext_Id__c", "string(9)", external_id=True), Field("Code__c", "string(9)", unique=True)),
    )
    world = World(database_url, [Mapping(coded)])
    holder = world.org.create("Coded__c", {"Ext_Id__c": "theirs", "Code__c": "c"})
    world.app.execute("INSERT INTO emea.coded__c (ext_id__c, code__c) VALUES ('ours', 'c'), ('more', 'd')")
    world.heroku.write()
    assert failures(world) == [f"duplicate value found: Code__c duplicates value on record with id: {holder}"]
    rows = world.rows("SELECT ext_id__c, _hc_lastop FROM emea.coded__c ORDER BY id")
    assert [(row["ext_id__c"], row["_hc_lastop"]) for row in rows] == [
        ("ours", "FAILED"),
        ("more", "INSERTED"),
    ]
    world.close()


def test_a_crash_between_send_and_record_is_made_good_by_the_next_run(world: World) -> None:
    world.insert_account()
    world.heroku.send()
    world.heroku.close()
    with world.connect() as restarted:
        restarted.settle()
    assert [row["name"] for row in world.org.query("Account")] == ["Ann"]
    assert world.archive() == [("INSERT", "SUCCESS")]


def test_a_session_lost_in_the_middle_of_a_cycle_leaves_nothing_pending(merging: World) -> None:
    world = merging
    refuse_bad_names(world)
    world.insert_account("x", name="Bad")
    world.heroku.write()
    world.insert_account("y")

    def lose_the_session(new: Row[str, Any], _: object) -> None:
        if new["ext_id__c"] == "y" and not world.rows("SELECT FROM emea._trigger_log WHERE state = 'NEW'"):
            world.app.execute(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE application_name = 'heroku connect emea' AND datname = current_database()"""
            )

    world.org.automate("Account", lose_the_session)
    world.rename("Good", "x")  # whose row the writer fetches after it sent y
    with pytest.raises(psycopg.OperationalError):
        world.heroku.write()
    assert ("INSERT", "PENDING") in world.log()
    world.heroku.settle()
    assert {row["ext_id__c"]: row["name"] for row in world.org.query("Account")} == {"x": "Good", "y": "Ann"}
    assert world.log() == []


def test_entries_of_a_table_that_is_not_mapped_are_ignored(world: World) -> None:
    world.insert_account()
    with world.connect([Mapping(world.org.object("Contact"))]) as without:
        without.write()
    assert world.archive() == [("INSERT", "IGNORED")]
