"""Deletes that are held, changes that wait for a parent, and conflicts: each two of them on one record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.fixtures.orgs import EMEA_AND_US
from tests.integration.worker.mass import Mass

if TYPE_CHECKING:
    from tests.fixtures.world import World

RULES: Final = (
    EMEA_AND_US
    + """
[[rules]]
name = "accounts"
from = "emea.account"
to = "us.account"
key = { ext_id = "ext_id" }
max_deletes = { count = 5 }
[rules.map]
name = "name"
city = "city"

[[rules]]
name = "accounts-back"
from = "us.account"
to = "emea.account"
key = { ext_id = "ext_id" }
max_deletes = { count = 5 }
[rules.map]
name = "name"
city = "city"

[[rules]]
name = "contacts"
from = "emea.contact"
to = "us.contact"
key = { ext_id = "ext_id" }
max_deletes = { count = 5 }
[rules.map]
email = "email"
account = { lookup = "us.account", where = { ext_id = "account" }, take = "name", missing = "wait" }

[[rules]]
name = "contacts-back"
from = "us.contact"
to = "emea.contact"
key = { ext_id = "ext_id" }
[rules.map]
email = "email"
"""
)


@pytest.fixture
def mass(world: World) -> Mass:
    """Both orgs, with thirty accounts that both of them may edit."""
    mass = Mass(world)
    world.apply_rules(RULES)
    mass.run(
        "INSERT INTO emea.account SELECT 'k' || n, 'n' || n, 'Rome', n, true FROM generate_series(1, 30) AS n"
    )
    return mass


def accounts(mass: Mass) -> tuple[object, object]:
    """How many there are in both orgs."""
    return mass.in_target("SELECT count(*) FROM emea.account"), mass.targets()


def test_an_edit_while_a_mass_delete_is_held_outlives_it_in_both_orgs(mass: Mass) -> None:
    mass.run("DELETE FROM emea.account WHERE amount <= 20")
    mass.run("UPDATE us.account SET city = 'Oslo' WHERE ext_id = 'k1'")
    mass.ask("retry")
    assert accounts(mass) == (11, 11)
    cities = "SELECT e.city, u.city FROM emea.account AS e INNER JOIN us.account AS u USING (ext_id)"
    assert mass.world.rows(f"{cities} WHERE ext_id = 'k1'") == [("Oslo", "Oslo")]
    assert mass.letters() == []


def test_an_edit_before_a_mass_delete_that_is_held_goes_with_it(mass: Mass) -> None:
    mass.world.app.execute("UPDATE us.account SET city = 'Oslo' WHERE ext_id = 'k1'")
    mass.run("DELETE FROM emea.account WHERE amount <= 20")
    mass.ask("retry")
    assert accounts(mass) == (10, 10)
    assert mass.letters() == []


@pytest.mark.parametrize("later", ["emea", "us"])
def test_what_waited_for_its_parent_meets_an_edit_that_was_made_meanwhile(mass: Mass, later: str) -> None:
    """Column by column: that of the lookup was emptied in the us after the waiting change was made."""
    mass.run("INSERT INTO emea.contact VALUES ('c', 'k99', 'emea')")
    assert mass.in_target("SELECT count(*) FROM us.contact") == 0
    mass.world.app.execute("INSERT INTO us.contact VALUES ('c', NULL, 'us')")
    if later == "emea":
        mass.run("UPDATE emea.contact SET email = 'later' WHERE ext_id = 'c'")
    mass.run("INSERT INTO emea.account VALUES ('k99', 'parent', 'Rome', 99, true)")
    winner = "later" if later == "emea" else "us"
    assert mass.world.rows("SELECT account, email FROM us.contact") == [(None, winner)]
    assert mass.world.rows("SELECT account, email FROM emea.contact") == [("k99", winner)]
    assert mass.letters() == []


@pytest.mark.parametrize("first", ["approved", "parent"])
def test_a_mass_delete_of_records_that_wait_for_their_parent(mass: Mass, first: str) -> None:
    mass.run("INSERT INTO emea.contact SELECT 'c' || n, 'k99', 'e' FROM generate_series(1, 10) AS n")
    mass.run("DELETE FROM emea.contact")
    assert mass.in_target("SELECT count(*) FROM us.contact") == 0
    parent = "INSERT INTO emea.account VALUES ('k99', 'parent', 'Rome', 99, true)"
    if first == "parent":
        mass.run(parent)
    if mass.letters():
        mass.ask("retry")
    if first == "approved":
        mass.run(parent)
        if mass.letters():
            mass.ask("retry")
    assert mass.in_target("SELECT count(*) FROM us.contact") == 0
    assert mass.letters() == []
    assert mass.world.rows("SELECT count(*) FROM orgstream.held_change") == [(0,)]
