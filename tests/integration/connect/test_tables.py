"""The tables, indexes, triggers and functions are those that Heroku Connect makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.connect import Field, Mapping, SObject
from tests.integration.connect.world import ACCOUNT, World

if TYPE_CHECKING:
    from collections.abc import Sequence

LOG_COLUMNS = {
    "id": "integer",
    "txid": "bigint",
    "created_at": "timestamp with time zone",
    "updated_at": "timestamp with time zone",
    "processed_at": "timestamp with time zone",
    "processed_tx": "bigint",
    "state": "character varying(8)",
    "action": "character varying(7)",
    "table_name": "character varying(128)",
    "record_id": "integer",
    "sfid": "character varying(18)",
    "old": "text",
    "values": "text",
    "sf_result": "integer",
    "sf_message": "text",
}


def columns(world: World, table: str) -> dict[str, str]:
    rows = world.rows(
        """SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute
        WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum""",
        f"emea.{table}",
    )
    return {row["attname"]: row["type"] for row in rows}


def indexes(world: World, table: str) -> dict[str, str]:
    rows = world.rows("SELECT * FROM pg_indexes WHERE schemaname = 'emea' AND tablename = %s", table)
    return {row["indexname"]: row["indexdef"].split(" ON ")[0].split()[1] for row in rows}


def triggers(world: World, table: str) -> dict[str, str]:
    rows = world.rows(
        """SELECT tgname, pg_get_triggerdef(oid) AS definition FROM pg_trigger
        WHERE tgrelid = %s::regclass AND NOT tgisinternal""",
        f'emea."{table}"',
    )
    return {row["tgname"]: row["definition"] for row in rows}


def test_a_mapped_table_has_its_fields_and_the_system_columns(world: World) -> None:
    assert columns(world, "account") == {
        "name": "character varying(80)",
        "ext_id__c": "character varying(40)",
        "amount__c": "double precision",
        "active__c": "boolean",
        "day__c": "date",
        "seen_at__c": "timestamp without time zone",
        "status__c": "character varying(255)",
        "shout__c": "character varying(80)",
        "createddate": "timestamp without time zone",
        "systemmodstamp": "timestamp without time zone",
        "isdeleted": "boolean",
        "sfid": "character varying(18)",
        "_hc_lastop": "character varying(32)",
        "_hc_err": "text",
        "id": "integer",
    }
    assert columns(world, "contact")["account__ext_id__c"] == "character varying(40)"
    assert "isdeleted" not in columns(world, '"user"')


def test_the_key_is_a_serial_and_the_ids_are_unique(world: World) -> None:
    assert indexes(world, "account") == {
        "account_pkey": "UNIQUE",
        "hcu_idx_account_sfid": "UNIQUE",
        "hcu_idx_account_ext_id__c": "UNIQUE",
        "hc_idx_account_systemmodstamp": "INDEX",
    }
    default = world.row("SELECT pg_get_serial_sequence('emea.account', 'id') AS name")
    assert default["name"] == "emea.account_id_seq"


def test_sfids_that_differ_in_case_are_two_and_sort_by_their_bytes(world: World) -> None:
    world.app.execute("INSERT INTO emea.note__c (sfid) VALUES ('a00b'), ('a00B'), ('a00a')")
    found = world.rows("SELECT sfid FROM emea.note__c ORDER BY sfid")
    assert [row["sfid"] for row in found] == ["a00B", "a00a", "a00b"]


def test_the_logs_are_heroku_connects(world: World) -> None:
    assert columns(world, "_trigger_log") == columns(world, "_trigger_log_archive") == LOG_COLUMNS
    assert set(indexes(world, "_trigger_log")) == {
        "_trigger_log_pkey",
        "_trigger_log_idx_created_at",
        "_trigger_log_idx_state_id",
        "_trigger_log_idx_state_table_name",
    }
    assert set(indexes(world, "_trigger_log_archive")) == {
        "_trigger_log_archive_pkey",
        "_trigger_log_archive_idx_created_at",
        "_trigger_log_archive_idx_record_id",
        "_trigger_log_archive_idx_state_table_name",
    }
    assert set(columns(world, "_hcmeta")) == {"id", "hcver", "org_id", "details"}
    assert {"sf_timestamp", "record", "processed"} < set(columns(world, "_sf_event_log"))
    assert [row["org_id"] for row in world.rows("SELECT * FROM emea._hcmeta")] == [world.org.org_id]


def test_triggers_tell_applications_from_heroku_connect_by_xmlbinary(world: World) -> None:
    found = triggers(world, "account")
    assert set(found) == {"hc_account_logtrigger", "hc_account_status_trigger"}
    assert "AFTER INSERT OR DELETE OR UPDATE" in found["hc_account_logtrigger"]
    assert "WHEN (((get_xmlbinary())::text = 'base64'::text))" in found["hc_account_logtrigger"].replace(
        "public.", ""
    )
    assert "BEFORE INSERT OR UPDATE" in found["hc_account_status_trigger"]
    assert set(triggers(world, "_trigger_log")) == {"tlog_insert_trigger"}
    assert world.row("SELECT get_xmlbinary() AS now")["now"] == "base64"


def test_a_session_without_public_in_its_path_cannot_write(world: World) -> None:
    world.app.execute("SET search_path = ''")
    with pytest.raises(Exception, match=r"get_xmlbinary\(\) does not exist"):
        world.insert_account()


def test_installing_again_changes_nothing_and_a_grown_mapping_adds_its_column(world: World) -> None:
    world.insert_account()
    world.heroku.settle()
    before = (columns(world, "account"), indexes(world, "account"), triggers(world, "account"))
    world.heroku.install()
    assert (columns(world, "account"), indexes(world, "account"), triggers(world, "account")) == before
    few = Mapping(ACCOUNT, fields=("Name", "Ext_Id__c"))
    world.app.execute("ALTER TABLE emea.account DROP COLUMN day__c")
    with world.connect([few]) as narrow:
        narrow.install()
        assert "day__c" not in columns(world, "account")
    world.heroku.install()
    assert columns(world, "account")["day__c"] == "date"
    assert world.account()["name"] == "Ann"


def test_a_real_get_xmlbinary_is_left_alone(world: World) -> None:
    world.app.execute(
        """CREATE OR REPLACE FUNCTION public.get_xmlbinary() RETURNS varchar LANGUAGE sql
        AS $$ SELECT setting FROM pg_settings WHERE name = 'xmlbinary' $$"""
    )
    world.heroku.install()
    source = world.row("SELECT prosrc FROM pg_proc WHERE proname = 'get_xmlbinary'")["prosrc"]
    assert "pg_settings" in source


def names_with_quotes() -> Sequence[Mapping]:
    return [
        Mapping(SObject("Order", (Field("Select", "string(9)"), Field("Key__c", "id", external_id=True))))
    ]


def test_names_that_sql_reserves_are_quoted(database_url: str) -> None:
    world = World(database_url, names_with_quotes())
    world.app.execute("""INSERT INTO emea."order" ("select", key__c) VALUES ('a', 'k')""")
    world.heroku.settle()
    assert world.row("""SELECT "select", _hc_lastop FROM emea."order" """) == {
        "select": "a",
        "_hc_lastop": "SYNCED",
    }
    world.close()
