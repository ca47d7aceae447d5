"""Columns that Heroku Connect keeps: a change of nothing else is none, unless a rule reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from tests.fixtures.federation import FIELDS, both_ways, rule

if TYPE_CHECKING:
    from tests.fixtures.federation import Federation

ONE_WAY = rule("north", "south", *FIELDS)
KEPT = {
    "sfid": ("001A", "001B"),
    "systemmodstamp": ("2026-01-01", "2026-01-02"),
    "createddate": ("2026-01-01", "2026-01-02"),
    "isdeleted": (None, False),
    "_hc_lastop": ("FAILED", "UPDATED"),
    "_hc_err": ("{}", None),
    "id": (4711, 4712),
}


@pytest.mark.parametrize("rules", [ONE_WAY, both_ways("north", "south", *FIELDS)], ids=["one way", "both"])
def test_a_change_of_them_is_no_change_to_a_rule_that_does_not_read_them(
    pair: Federation, rules: str
) -> None:
    pair.link(rules)
    pair.world.app.execute("INSERT INTO north.account (ext_id__c, name) VALUES ('x', 'Ann')")
    pair.carry()
    for origin in ("base64", "hex"):
        pair.world.app.execute(f"SET xmlbinary = {origin}".encode())
        for column, (one, other) in KEPT.items():
            table = sql.SQL("UPDATE north.account SET {} = {}")
            for value in (one, other):
                pair.world.app.execute(table.format(sql.Identifier(column), sql.Literal(value)))
    pair.carry()
    assert pair.world.rows("SELECT count(*) > 10 FROM orgstream.change_queue") == [(True,)]
    assert pair.world.rows("SELECT count(*) FROM orgstream.applied") == [(1,)]


def test_a_rule_may_read_them_all_the_same(pair: Federation) -> None:
    pair.link(rule("north", "south", city__c="sfid", status__c="_hc_lastop"))
    pair.edit("north", name="Ann")
    pair.heroku["north"].settle()
    pair.carry()
    row = pair.row("south")
    assert row["city__c"] == pair.orgs["north"].query("Account")[0]["sfid"]
    assert row["status__c"] == "SYNCED"
