"""What Heroku Connect reads before it has written: old values that are put over newer ones in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stages import awaited, echoes
from tests.fixtures.federation import FIELDS, Federation, both_ways

if TYPE_CHECKING:
    import pytest


def edited(pair: Federation, **values: str) -> None:
    """A user of the north edits the record, and it stands in the south's table."""
    pair.clock.advance(10)
    pair.edit("north", **values)
    pair.heroku["north"].read()
    pair.carry()


def values(pair: Federation, column: str) -> set[object]:
    """What the users of both orgs see, and what stands in both tables."""
    return {view[column] for org in pair.orgs for view in (pair.record(org), pair.row(org))}


def city_read_before_it_is_written(pair: Federation) -> None:
    """The name is written and read again; the city was written in between, and is not in Salesforce yet."""
    pair.link(both_ways("north", "south", *FIELDS))
    edited(pair, name="Ann", city__c="Rome")
    pair.settle()
    edited(pair, name="Anna")
    pair.heroku["south"].write()
    edited(pair, city__c="Oslo")
    pair.heroku["south"].read()
    assert pair.row("south")["city__c"] == "Rome"
    pair.settle()
    assert values(pair, "city__c") == {"Oslo"}


def test_what_salesforce_held_before_a_write_is_not_sent_back(pair: Federation) -> None:
    city_read_before_it_is_written(pair)
    assert pair.writes("north") == 0
    assert pair.outstanding() == 0


def test_without_what_was_held_before_it_would_be_sent_back(
    pair: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(*arguments: Any, **options: Any) -> awaited.Record:
        return awaited.told(awaited.written(*arguments, **options))

    monkeypatch.setattr(echoes, "written", written)
    city_read_before_it_is_written(pair)
    assert pair.writes("north") > 0


def test_a_user_who_takes_a_written_value_back_is_heard(pair: Federation) -> None:
    pair.link(both_ways("north", "south", *FIELDS))
    edited(pair, name="Ann", city__c="Rome")
    pair.settle()
    edited(pair, city__c="Oslo")
    pair.heroku["south"].write()
    pair.clock.advance(10)
    pair.edit("south", city__c="Rome")
    pair.settle()
    assert values(pair, "city__c") == {"Rome"}


def stand_old_over_new(pair: Federation, ahead: float = 0) -> None:
    """`first` stands in the south's table over `second`, which is on its way to Salesforce.

    The south's clock is so many seconds `ahead`.
    """
    pair.link(both_ways("north", "south", *FIELDS))
    edited(pair, name="new")
    pair.settle()
    edited(pair, name="first")
    pair.clock.advance(ahead)
    pair.heroku["south"].write()
    pair.heroku["south"].query()
    pair.clock.advance(-ahead)
    edited(pair, name="second")
    pair.heroku["south"].deliver()
    assert pair.row("south")["name"] == "first"
    pair.carry()


def test_the_later_edit_wins_over_the_value_that_is_put_back_for_it(pair: Federation) -> None:
    stand_old_over_new(pair)
    edited(pair, name="first")
    pair.settle()
    assert values(pair, "name") == {"first"}


def test_who_was_told_of_an_old_value_gets_the_newer_one_too(pair: Federation) -> None:
    """By the clocks the old value was saved in the south after the next edit, which so loses against it."""
    stand_old_over_new(pair, ahead=100)
    edited(pair, name="third")
    pair.settle()
    assert len(values(pair, "name")) == 1
