"""Rules that lead back to where a change began, and writes that would change nothing."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tests.fixtures.federation import FIELDS, Federation, both_ways, rule

if TYPE_CHECKING:
    from tests.fixtures.world import World


def test_a_change_goes_round_a_circle_of_orgs_once(world: World) -> None:
    names = ["north", "south", "west"]
    with contextlib.closing(Federation(world, names)) as circle:
        circle.link(
            *(rule(one, other, *FIELDS) for one, other in zip(names, names[1:] + names[:1], strict=True))
        )
        for number, name in enumerate(names, 1):
            circle.edit(name, name=f"name {number}")
            circle.settle()
            assert [circle.record(one)["name"] for one in names] == [f"name {number}"] * 3
            # Each edit was written into the two other orgs, and nowhere twice.
            assert sum(circle.writes(one) for one in names) == 2 * number
            assert circle.writes(name) == number - 1
        assert circle.outstanding() == 0


def test_a_field_that_was_empty_is_seen_to_change(pair: Federation) -> None:
    pair.link(both_ways("north", "south", *FIELDS))
    pair.edit("north", name="Ann")
    pair.settle()
    assert pair.record("south")["city__c"] is None
    for value in ("Rome", None):
        pair.edit("north", city__c=value)
        pair.settle()
        assert pair.record("south")["city__c"] == value


def test_a_reader_that_is_faster_than_the_writer_makes_no_second_row(pair: Federation) -> None:
    """It knows the record by its external id, which is written with every insert."""
    pair.link(both_ways("north", "south", *FIELDS))
    pair.edit("north", name="Ann")
    pair.heroku["north"].read()
    pair.carry()
    south = pair.heroku["south"]
    south.send()  # the record is in Salesforce, and its id not yet in the row
    south.read()
    pair.carry()
    south.record()
    pair.settle()
    assert pair.world.rows("SELECT name, sfid IS NOT NULL FROM south.account") == [("Ann", True)]
    assert len(pair.orgs["south"].query("Account")) == 1
    assert (pair.writes("north"), pair.writes("south")) == (0, 1)


def test_a_write_that_would_change_nothing_is_not_made(pair: Federation) -> None:
    """Heroku Connect would log it and call Salesforce for nothing."""
    for org in ("north", "south"):
        pair.edit(org, name="Ann", city__c="Rome")
        pair.heroku[org].settle()
    pair.link(both_ways("north", "south", *FIELDS))
    pair.edit("north", name="Ann", city__c="Oslo")
    pair.edit("south", name="Ann", city__c="Oslo")
    for org in ("north", "south"):
        pair.heroku[org].read()
    pair.carry()
    assert pair.world.rows("SELECT count(*) FROM orgstream.applied") == [(3,)]  # and one told who was later
    assert (pair.writes("north"), pair.writes("south")) == (0, 0)
    assert pair.world.rows("SELECT FROM south._trigger_log UNION ALL SELECT FROM north._trigger_log") == []
