"""Records of Salesforce change their keys, are reloaded, deleted, restored and merged: one row each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from tests.fixtures.federation import rule

if TYPE_CHECKING:
    from tests.fixtures.federation import Federation


def begin(pair: Federation, *ext_ids: str) -> None:
    """Records that both orgs have."""
    pair.link(rule("north", "south", "name", "city__c"))
    for ext_id in ext_ids:
        pair.edit("north", ext_id, name=f"Ann {ext_id}", city__c="Rome")
    pair.settle()


def sfid(pair: Federation, ext_id: str, org: str = "north") -> str:
    """The Salesforce id of a record."""
    (row,) = pair.orgs[org].query("Account", lambda row: row["ext_id__c"] == ext_id)
    return str(row["sfid"])


def capture(pair: Federation, *, enabled: bool) -> None:
    """Switch the triggers of capture on or off."""
    for trigger in ("00_orgstream_capture", "00_orgstream_update"):
        pair.world.app.execute(
            sql.SQL("ALTER TABLE north.account {} TRIGGER {}").format(
                sql.SQL("ENABLE" if enabled else "DISABLE"), sql.Identifier(trigger)
            )
        )


def rekey(pair: Federation, old: str, new: str) -> None:
    """A record gets another external id while nobody captures."""
    capture(pair, enabled=False)
    pair.orgs["north"].update("Account", sfid(pair, old), {"Ext_Id__c": new})
    pair.heroku["north"].settle()
    capture(pair, enabled=True)


def southern(pair: Federation) -> list[tuple[object, ...]]:
    """The southern table."""
    return pair.world.rows("SELECT ext_id__c, name, city__c FROM south.account ORDER BY 1")


def test_a_key_that_changed_while_capture_was_off_renames_the_record(pair: Federation) -> None:
    begin(pair, "x")
    other = sfid(pair, "x", "south")
    rekey(pair, "x", "y")
    pair.edit("north", "y", city__c="Oslo")
    pair.settle()
    assert southern(pair) == [("y", "Ann x", "Oslo")]
    assert sfid(pair, "y", "south") == other
    assert len(pair.orgs["south"].query("Account")) == 1


@pytest.mark.parametrize("truncate", [True, False], ids=["truncated", "deleted"])
def test_a_reload_that_brings_changed_keys_makes_no_second_records(pair: Federation, truncate: bool) -> None:
    ext_ids = [f"x{number}" for number in range(30)]
    begin(pair, *ext_ids)
    numbers = pair.world.rows("SELECT id FROM south.account ORDER BY ext_id__c")
    for ext_id in ("x3", "x7"):
        pair.orgs["north"].update("Account", sfid(pair, ext_id), {"Ext_Id__c": f"{ext_id} new"})
    pair.heroku["north"].reload("Account", truncate=truncate)
    pair.settle()
    keys = {"x3": "x3 new", "x7": "x7 new"}
    assert [row[0] for row in southern(pair)] == [keys.get(ext_id, ext_id) for ext_id in sorted(ext_ids)]
    assert pair.world.rows("SELECT id FROM south.account ORDER BY ext_id__c") == numbers
    assert len(pair.orgs["south"].query("Account")) == 30


def test_links_are_kept_by_the_salesforce_id(pair: Federation) -> None:
    begin(pair, "x")
    before = pair.world.rows("SELECT record, key FROM orgstream.record_link")
    assert before == [(f'{{"sfid":"{sfid(pair, "x")}"}}', '{"ext_id__c":"x"}')]
    pair.heroku["north"].reload("Account", restart_ids=False)
    pair.edit("north", "x", name="Bea")
    pair.settle()
    assert pair.world.rows("SELECT record, key FROM orgstream.record_link") == before


def test_a_record_restored_under_another_key_is_one_record(pair: Federation) -> None:
    begin(pair, "x")
    record = sfid(pair, "x")
    pair.orgs["north"].delete("Account", record)
    pair.settle()
    assert (southern(pair), pair.world.rows("SELECT * FROM orgstream.record_link")) == ([], [])
    pair.orgs["north"].undelete("Account", record)
    pair.orgs["north"].update("Account", record, {"Ext_Id__c": "y"})
    pair.settle()
    assert southern(pair) == [("y", "Ann x", "Rome")]


def test_the_loser_of_a_merge_goes_though_its_key_changed_unseen(pair: Federation) -> None:
    begin(pair, "x", "y")
    rekey(pair, "y", "z")
    pair.orgs["north"].merge("Account", sfid(pair, "x"), [sfid(pair, "z")], {"City__c": "Oslo"})
    pair.settle()
    assert southern(pair) == [("x", "Ann x", "Oslo")]
