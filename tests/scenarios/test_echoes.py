"""What comes back from Salesforce: echoes, old values after new ones, and what an org makes of our write."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from psycopg import sql

from tests.fixtures.federation import FIELDS, both_ways

if TYPE_CHECKING:
    from tests.fixtures.federation import Federation


def test_the_echo_of_a_write_goes_nowhere(pair: Federation) -> None:
    """Both steps of it: the Salesforce id with the status, then all that Salesforce keeps."""
    pair.link(both_ways("north", "south", *FIELDS))
    pair.edit("north", name="Ann", city__c="Rome")
    pair.settle()
    assert pair.record("south") == pair.record("north")
    assert (pair.writes("north"), pair.writes("south")) == (0, 1)
    pair.edit("south", city__c="Oslo")
    pair.settle()
    assert pair.record("north")["city__c"] == "Oslo"
    assert (pair.writes("north"), pair.writes("south")) == (1, 1)
    assert pair.outstanding() == 0


def test_the_echo_of_an_old_value_after_a_newer_write_is_not_sent_back(pair: Federation) -> None:
    pair.link(both_ways("north", "south", *FIELDS))
    pair.edit("north", name="first")
    pair.settle()
    north, south = pair.heroku["north"], pair.heroku["south"]
    pair.edit("north", name="second")
    north.read()
    pair.carry()
    south.write()
    south.query()  # it finds `second` in Salesforce
    pair.edit("north", name="third")
    north.read()
    pair.carry()
    assert pair.row("south")["name"] == "third"
    south.deliver()
    assert pair.row("south")["name"] == "second"  # Heroku Connect put the old value over the new one
    pair.carry()
    assert pair.row("north")["name"] == "third"
    pair.settle()
    assert [pair.record(org)["name"] for org in ("north", "south")] == ["third", "third"]
    assert [pair.row(org)["name"] for org in ("north", "south")] == ["third", "third"]
    assert (pair.writes("north"), pair.writes("south")) == (0, 3)
    assert pair.outstanding() == 0


def test_what_an_orgs_automation_changes_in_the_same_echo_goes_on_alone(pair: Federation) -> None:
    pair.link(both_ways("north", "south", *FIELDS))
    pair.orgs["south"].automate("Account", lambda new, _: {"Status__c": f"seen {new['name']}"})
    pair.edit("north", name="Ann", status__c="new")
    pair.settle()
    assert pair.record("north")["status__c"] == pair.record("south")["status__c"] == "seen Ann"
    assert pair.world.rows("""
        SELECT e.key FROM orgstream.change_queue AS c,
            LATERAL jsonb_each_text(c.after::jsonb) AS e
        WHERE c.origin = 'orgstream' AND c.table_schema = 'north' AND c.operation = 'UPDATE'
            AND e.value IS DISTINCT FROM c.before ->> e.key AND e.key NOT LIKE '\\_hc%'
        """) == [("status__c",)]
    assert (pair.writes("north"), pair.writes("south")) == (1, 1)


def test_blanks_that_salesforce_trims_do_not_come_back(pair: Federation) -> None:
    _write_in_postgres(pair, name="  Ann ")
    assert (pair.row("north")["name"], pair.record("south")["name"]) == ("Ann", "Ann")
    assert (pair.writes("north"), pair.writes("south")) == (0, 1)


def test_an_empty_text_that_comes_back_as_null_is_no_change(pair: Federation) -> None:
    _write_in_postgres(pair, city__c="")
    assert pair.row("south")["city__c"] is None
    assert (pair.writes("north"), pair.writes("south")) == (0, 1)


def test_a_number_that_comes_back_with_15_digits_is_no_change(pair: Federation) -> None:
    _write_in_postgres(pair, amount__c="12345678901234567", seen_at__c="2026-02-03 04:05:06.789")
    assert pair.row("south")["amount__c"] == 12345678901234600
    assert pair.row("south")["seen_at__c"] == datetime.fromisoformat("2026-02-03T04:05:06")
    assert (pair.writes("north"), pair.writes("south")) == (0, 1)


def _write_in_postgres(pair: Federation, **values: str) -> None:
    """An application writes to the table of `north` what Salesforce keeps otherwise; then all settles."""
    pair.link(both_ways("north", "south", *FIELDS))
    columns = {"ext_id__c": "x", "name": "Ann", **values}
    query = sql.SQL("INSERT INTO north.account ({}) VALUES ({})").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(map(sql.Literal, columns.values())),
    )
    pair.world.app.execute(query)
    pair.settle()
    assert pair.outstanding() == 0
