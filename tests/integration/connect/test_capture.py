"""What the triggers write into the trigger log, and whom they tell."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from pipeline.connect import Mapping
from tests.integration.connect.world import USER, World


def entries(world: World) -> list[dict[str, Any]]:
    return world.rows(
        """SELECT *, hstore_to_json("values"::hstore) AS new_values, hstore_to_json(old::hstore) AS old_values
        FROM emea._trigger_log ORDER BY id"""
    )


def test_an_insert_logs_every_column_but_the_bookkeeping(world: World) -> None:
    world.insert_account(name="  Ann ")
    (entry,) = entries(world)
    assert (entry["action"], entry["state"], entry["table_name"]) == ("INSERT", "NEW", "account")
    assert entry["record_id"] == world.account()["id"]
    assert (entry["sfid"], entry["old"], entry["updated_at"], entry["processed_at"]) == (None,) * 4
    assert entry["txid"] is not None
    assert set(entry["new_values"]) == set(world.account()) - {"_hc_lastop", "_hc_err"}
    assert entry["new_values"]["name"] == "  Ann "
    assert entry["new_values"]["sfid"] is None


def test_an_update_logs_the_old_row_and_the_changed_columns_only(world: World) -> None:
    world.insert_account()
    world.app.execute("UPDATE emea.account SET amount__c = 1.5, status__c = NULL, day__c = '2026-01-02'")
    entry = entries(world)[1]
    assert (entry["action"], entry["state"]) == ("UPDATE", "NEW")
    assert entry["new_values"] == {"amount__c": "1.5", "day__c": "2026-01-02"}
    assert entry["old_values"]["name"] == "Ann"
    assert entry["old_values"]["amount__c"] is None


def test_a_change_to_null_is_a_change(world: World) -> None:
    world.insert_account()
    world.app.execute("UPDATE emea.account SET name = NULL")
    assert entries(world)[1]["new_values"] == {"name": None}


def test_an_update_without_a_change_is_logged_all_the_same_but_not_to_be_sent(world: World) -> None:
    world.insert_account()
    world.rename("Ann")
    entry = entries(world)[1]
    assert (entry["state"], entry["values"]) == ("IGNORE", "")
    world.heroku.write()
    assert world.archive() == [("INSERT", "SUCCESS"), ("UPDATE", "IGNORED")]


def test_a_delete_logs_the_old_row_and_its_sfid(world: World) -> None:
    world.insert_account()
    world.heroku.settle()
    sfid = world.account()["sfid"]
    world.app.execute("DELETE FROM emea.account")
    (entry,) = entries(world)
    assert (entry["action"], entry["state"], entry["sfid"], entry["values"]) == ("DELETE", "NEW", sfid, None)
    assert entry["old_values"]["name"] == "Ann"


def test_a_delete_before_salesforce_has_the_record_is_not_sent_and_the_record_comes_back(
    world: World,
) -> None:
    world.insert_account()
    world.app.execute("DELETE FROM emea.account")
    assert world.log() == [("INSERT", "NEW"), ("DELETE", "IGNORE")]
    world.heroku.settle()
    assert world.account()["_hc_lastop"] == "SYNCED"


def test_a_truncate_is_not_captured(world: World) -> None:
    world.insert_account()
    world.heroku.settle()
    world.app.execute("TRUNCATE emea.account")
    assert world.heroku.quiet()
    assert len(world.org.query("Account")) == 1


def test_triggers_do_not_fire_for_a_replica_session(world: World) -> None:
    world.app.execute("SET session_replication_role = replica")
    world.insert_account()
    assert world.log() == []
    assert world.account()["_hc_lastop"] is None


def test_heroku_connects_own_session_is_not_captured(world: World) -> None:
    world.app.execute("SET xmlbinary = hex")
    world.insert_account()
    assert world.log() == []
    assert world.account()["_hc_lastop"] == "SYNCED"


def test_each_captured_row_notifies(world: World) -> None:
    with psycopg.connect(world.url, autocommit=True) as listener:
        listener.execute('LISTEN "emea.hc_trigger_log"')
        world.insert_account()
        (notify,) = listener.notifies(timeout=5, stop_after=1)
    assert notify.payload == "ping"


def test_a_read_only_table_logs_readonly_and_nothing_is_sent(world: World) -> None:
    world.org.create("User", {"Username": "u"})
    world.heroku.settle()
    world.app.execute("""UPDATE emea."user" SET username = 'v'""")
    world.app.execute("""DELETE FROM emea."user" """)
    assert world.log() == [("UPDATE", "READONLY"), ("DELETE", "READONLY")]
    assert world.heroku.settle() == 1
    assert world.archive() == [("UPDATE", "READONLY"), ("DELETE", "READONLY")]
    assert [row["username"] for row in world.org.query("User")] == ["u"]


def test_what_was_captured_before_a_mapping_became_read_only_is_still_sent(world: World) -> None:
    world.app.execute("INSERT INTO emea.note__c (name) VALUES ('captured')")
    changed = [Mapping(m.sobject, read_only=True) for m in _mappings_of(world)]
    with world.connect(changed) as read_only:
        read_only.install()
        world.app.execute("INSERT INTO emea.note__c (name) VALUES ('later')")
        read_only.write()
    assert [row["name"] for row in world.org.query("Note__c")] == ["captured"]


def test_a_read_only_table_may_come_without_bookkeeping(database_url: str) -> None:
    world = World(database_url, [Mapping(USER, read_only=True, bookkeeping=False)])
    world.org.create("User", {"Username": "u"})
    world.heroku.settle()
    assert set(world.row("""SELECT * FROM emea."user" """)) == {
        *("username", "createddate", "systemmodstamp", "sfid", "id"),
    }
    world.app.execute("""UPDATE emea."user" SET username = 'v'""")
    assert world.log() == [("UPDATE", "READONLY")]
    world.close()
    with pytest.raises(ValueError, match="_hc_lastop"):
        Mapping(USER, bookkeeping=False)


def _mappings_of(world: World) -> list[Mapping]:
    return [Mapping(world.org.object("Note__c"))]
