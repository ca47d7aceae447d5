"""Reader and writer work apart, and the application does not wait for either."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from psycopg import errors

from pipeline.connect.session import Session

if TYPE_CHECKING:
    import psycopg

    from tests.integration.connect.world import World


def names(world: World) -> tuple[str, str]:
    """What Salesforce has and what the table has."""
    return str(world.org.query("Account")[0]["name"]), world.account()["name"]


def test_a_value_flip_flops_when_the_echo_of_the_first_write_meets_the_second(world: World) -> None:
    world.insert_account(name="v0")
    world.heroku.settle()
    world.rename("v1")
    world.heroku.write()
    world.rename("v2")
    assert names(world) == ("v1", "v2")
    world.heroku.read()
    assert names(world) == ("v1", "v1")
    assert world.account()["_hc_lastop"] == "SYNCED"
    world.heroku.write()
    assert names(world) == ("v2", "v1")
    world.heroku.read()
    assert names(world) == ("v2", "v2")


def test_a_poll_that_was_long_under_way_brings_an_old_value_over_a_written_one(world: World) -> None:
    world.insert_account(name="v0")
    world.heroku.settle()
    world.rename("v1")
    world.heroku.write()
    world.heroku.query()
    world.rename("v2")
    world.heroku.write()
    world.heroku.deliver()
    assert names(world) == ("v2", "v1")
    world.heroku.read()
    assert names(world) == ("v2", "v2")


def test_a_deleted_row_is_revived_for_a_while_by_an_edit_in_salesforce(world: World) -> None:
    world.insert_account()
    world.heroku.settle()
    before = world.account()
    world.app.execute("DELETE FROM emea.account")
    world.org.update("Account", before["sfid"], {"Name": "Edited"})
    world.heroku.read()
    revived = world.account()
    assert (revived["sfid"], revived["name"]) == (before["sfid"], "Edited")
    assert revived["id"] != before["id"]
    world.heroku.settle()
    assert world.rows("SELECT FROM emea.account") == []
    assert world.org.query("Account") == []


def test_the_reader_knows_a_new_record_by_its_external_id_before_the_writer_told_its_sfid(
    world: World,
) -> None:
    world.insert_account()
    world.heroku.send()
    world.heroku.read()
    (row,) = world.rows("SELECT * FROM emea.account")
    assert (row["sfid"], row["_hc_lastop"]) == (world.org.query("Account")[0]["sfid"], "SYNCED")
    world.heroku.record()
    assert world.account()["_hc_lastop"] == "INSERTED"
    assert len(world.rows("SELECT FROM emea.account")) == 1


def test_without_an_external_id_the_reader_makes_a_second_row_and_the_first_stays_without_sfid(
    world: World,
) -> None:
    world.app.execute("INSERT INTO emea.note__c (name) VALUES ('n')")
    world.heroku.send()
    world.heroku.read()
    world.heroku.record()
    rows = world.rows("SELECT sfid FROM emea.note__c ORDER BY id")
    assert [row["sfid"] is None for row in rows] == [True, False]
    assert len(world.org.query("Note__c")) == 1


def test_a_record_that_is_made_on_both_sides_with_one_external_id_is_one(world: World) -> None:
    sfid = world.org.create("Account", {"Name": "There", "Ext_Id__c": "x"})
    world.heroku.query()
    world.insert_account(name="Here")
    world.heroku.deliver()
    assert world.account()["sfid"] == sfid
    assert world.account()["name"] == "There"
    world.heroku.settle()
    assert names(world) == ("Here", "Here")


def test_a_row_that_is_being_inserted_right_now_is_waited_for_and_then_known(world: World) -> None:
    sfid = world.org.create("Account", {"Name": "There", "Ext_Id__c": "x"})
    session = Session(world.url, "watcher")
    with contextlib.closing(Session(world.url, "writer")) as writer:

        def insert_while_the_reader_waits(connection: psycopg.Connection) -> None:
            connection.execute("SET LOCAL xmlbinary = base64")
            connection.execute("INSERT INTO emea.account (name, ext_id__c) VALUES ('Here', 'x')")
            reading.start()
            while not session.run(_is_waiting):
                reading.join(0.01)

        reading = _reading(world)
        writer.run(insert_while_the_reader_waits)
        reading.join()
    session.close()
    (row,) = world.rows("SELECT * FROM emea.account")
    assert (row["sfid"], row["name"]) == (sfid, "There")


def test_a_transaction_that_meets_a_deadlock_is_run_again(world: World) -> None:
    tries = []

    def twice(connection: psycopg.Connection) -> int:
        tries.append(connection.info.backend_pid)
        connection.execute("INSERT INTO emea.note__c (name) VALUES ('n')")
        if len(tries) == 1:
            raise errors.DeadlockDetected
        return len(tries)

    with Session(world.url, "test") as session:
        assert session.run(twice) == 2
    assert len(world.rows("SELECT FROM emea.note__c")) == 1


def _reading(world: World) -> threading.Thread:
    return threading.Thread(target=world.heroku.read)


def _is_waiting(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'heroku connect emea' "
        "AND wait_event_type = 'Lock'"
    ).fetchone()
    return row == (1,)
