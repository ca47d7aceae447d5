"""Two orgs edit, delete, merge and restore the same record: what both end with, through Heroku Connect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fixtures.federation import FIELDS, both_ways

if TYPE_CHECKING:
    from tests.fixtures.federation import Federation


def _begin(pair: Federation, *ext_ids: str) -> None:
    pair.link(both_ways("north", "south", *FIELDS))
    for ext_id in ext_ids:
        pair.edit("north", ext_id, name=f"Ann {ext_id}", city__c="Rome")
    pair.settle()


def _conflicts(pair: Federation) -> list[tuple[str, str, str]]:
    return pair.world.rows("SELECT rule, column_name, winner FROM orgstream.conflict ORDER BY rule, id")


def _ids(pair: Federation, org: str) -> list[str]:
    return sorted(str(row["ext_id__c"]) for row in pair.orgs[org].query("Account", lambda _: True))


def test_edits_of_different_fields_survive_both(pair: Federation) -> None:
    _begin(pair, "x")
    pair.edit("north", name="Anna")
    pair.edit("south", city__c="Oslo")
    for org in ("north", "south"):
        pair.heroku[org].read()
    pair.settle()
    assert pair.record("north") == pair.record("south")
    assert (pair.record("south")["name"], pair.record("south")["city__c"]) == ("Anna", "Oslo")
    assert _conflicts(pair) == []


def test_edits_of_one_field_in_the_same_second_have_one_winner(pair: Federation) -> None:
    _begin(pair, "x")
    pair.clock.advance(60)
    pair.edit("south", name="of the south")
    pair.edit("north", name="of the north")
    for org in ("north", "south"):
        pair.heroku[org].read()
    pair.settle()
    assert pair.record("north")["name"] == pair.record("south")["name"] == "of the north"
    assert ("north-south", "name", "source") in _conflicts(pair)
    assert ("south-north", "name", "target") in _conflicts(pair)


def test_what_we_wrote_counts_with_the_time_of_the_users_edit(pair: Federation) -> None:
    _begin(pair, "x")
    pair.clock.advance(60)
    pair.edit("north", name="at four")
    pair.heroku["north"].read()
    pair.clock.advance(60)
    pair.edit("north", name="at six")
    pair.clock.advance(60)
    pair.carry()  # only now the first of them is written, and Salesforce tells that time
    pair.heroku["south"].write()
    pair.heroku["south"].read()
    pair.settle()
    assert pair.record("north")["name"] == pair.record("south")["name"] == "at six"
    assert _conflicts(pair) == []


def test_an_edit_later_than_a_delete_outlives_it(pair: Federation) -> None:
    _begin(pair, "x", "y")
    for ext_id in ("x", "y"):
        pair.orgs["north"].delete("Account", _sfid(pair, "north", ext_id))
    pair.heroku["north"].read()
    pair.clock.advance(10**9)  # so that it is later than any capture
    pair.edit("south", "x", name="still here")
    pair.heroku["south"].read()
    pair.settle()
    assert _ids(pair, "north") == _ids(pair, "south") == ["x"]
    assert pair.record("north", "x")["name"] == "still here"


def test_a_record_deleted_and_restored_is_one_record(pair: Federation) -> None:
    _begin(pair, "x")
    sfid = _sfid(pair, "north", "x")
    pair.orgs["north"].delete("Account", sfid)
    pair.settle()
    assert _ids(pair, "south") == []
    pair.orgs["north"].undelete("Account", sfid)
    pair.settle()
    assert _ids(pair, "north") == _ids(pair, "south") == ["x"]
    assert pair.world.rows("SELECT count(*) FROM south.account") == [(1,)]
    assert _sfid(pair, "north", "x") == sfid


def test_of_two_merged_records_the_loser_goes_and_the_winner_stays(pair: Federation) -> None:
    _begin(pair, "x", "y")
    winner, loser = _sfid(pair, "north", "x"), _sfid(pair, "north", "y")
    pair.orgs["north"].merge("Account", winner, [loser], {"City__c": "Oslo"})
    pair.settle()
    assert _ids(pair, "north") == _ids(pair, "south") == ["x"]
    assert pair.record("south", "x")["city__c"] == "Oslo"


def _sfid(pair: Federation, org: str, ext_id: str) -> str:
    (row,) = pair.orgs[org].query("Account", lambda row: row["ext_id__c"] == ext_id)
    return str(row["sfid"])
