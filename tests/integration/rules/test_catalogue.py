"""What is found out about the tables that rules name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.rules.catalogue import introspect
from stages.rules.model import Column

if TYPE_CHECKING:
    import psycopg

MORE = """
CREATE DOMAIN us.code AS text DEFAULT 'x' NOT NULL;
CREATE TABLE us.odd (
    a us.code, "B c" integer UNIQUE DEFERRABLE, d integer, e integer, f text COLLATE "C",
    PRIMARY KEY (e, d) INCLUDE (f)
);
ALTER TABLE us.odd ADD gone integer;
ALTER TABLE us.odd DROP gone;
CREATE TABLE us.parts (id integer PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE emea.contact (id serial PRIMARY KEY, sfid varchar(18), _hc_lastop varchar(32));
CREATE FUNCTION emea.hc_contact_logger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO emea._trigger_log (state) VALUES ('READONLY'); RETURN NULL; END $$;
CREATE TRIGGER hc_contact_logtrigger AFTER INSERT ON emea.contact
    FOR EACH ROW EXECUTE FUNCTION emea.hc_contact_logger();
"""


def test_a_plain_table(connection: psycopg.Connection) -> None:
    connection.execute(MORE)
    odd = introspect(connection, [("us", "odd")]).tables["us", "odd"]
    assert odd.columns == (
        Column("a", "us.code", nullable=False, has_default=True),
        Column("B c", "integer"),
        Column("d", "integer", nullable=False),
        Column("e", "integer", nullable=False),
        Column("f", "text"),
    )
    assert odd.primary_key == ("e", "d")
    assert odd.unique == (("e", "d"),)
    assert (odd.kind, odd.connector, odd.read_only) == ("table", "plain", False)


def test_what_a_rule_cannot_write_or_recognise_by(connection: psycopg.Connection) -> None:
    account = introspect(connection, [("us", "account")]).tables["us", "account"]
    assert [column.name for column in account.columns if not column.writable] == ["name_length", "number"]
    assert [column.name for column in account.columns if column.has_default] == ["active__c", "number"]
    assert account.unique == (("ext_id__c",),)


def test_a_table_of_heroku_connect(connection: psycopg.Connection) -> None:
    account = introspect(connection, [("emea", "account")]).tables["emea", "account"]
    assert (account.connector, account.read_only) == ("heroku-connect", False)
    kept = {"id", "sfid", "isdeleted", "systemmodstamp", "_hc_lastop", "_hc_err"}
    assert {column.name for column in account.columns if not column.writable} == kept
    assert set(account.unique) == {("id",), ("sfid",), ("ext_id__c",)}


def test_read_only_mappings(connection: psycopg.Connection) -> None:
    connection.execute(MORE)
    tables = introspect(connection, [("emea", "price"), ("emea", "contact"), ("emea", "log")]).tables
    assert tables["emea", "price"].read_only  # it has no column for the state of writes
    assert tables["emea", "contact"].read_only  # its log trigger says so
    assert tables["emea", "log"].connector == "plain"


def test_kinds_and_names(connection: psycopg.Connection) -> None:
    connection.execute(MORE)
    catalogue = introspect(
        connection, [("us", "parts"), ("emea", "accounts"), ("emea", "nothing"), ("no", "x")]
    )
    assert catalogue.tables["us", "parts"].kind == "partitioned table"
    assert catalogue.tables["emea", "accounts"].kind == "view"
    assert len(catalogue.tables) == 2
    assert catalogue.names["us"] == ("account", "odd", "order_line", "parts")
    assert "no" not in catalogue.names
    assert catalogue.schemas == ("emea", "orgstream", "public", "us")
