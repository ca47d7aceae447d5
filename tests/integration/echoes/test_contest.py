"""Two rules that keep rewriting each other's value: bounded, and then a letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fixtures.federation import FIELDS, both_ways, rule

if TYPE_CHECKING:
    from tests.fixtures.federation import Federation


def test_rules_that_rewrite_each_others_value_come_to_an_end(pair: Federation) -> None:
    """Each org's automation wants its own way of writing, so that each round trip is a true change."""
    pair.link(both_ways("north", "south", *FIELDS))
    pair.orgs["north"].automate("Account", lambda new, _: {"Name": str(new["name"]).lower()})
    pair.orgs["south"].automate("Account", lambda new, _: {"Name": str(new["name"]).upper()})
    pair.edit("north", name="ann")
    pair.settle()
    ((cause, message),) = pair.letters()
    assert cause == "ping-pong"
    assert "north-south" in message
    assert "south-north" in message
    assert "account.name" in message
    rounds = pair.world.settings.echo_rounds
    assert pair.writes("south") <= rounds + 1
    before = pair.writes("south")
    pair.edit("north", "other", name="bob")  # other records go on
    pair.settle()
    assert pair.writes("south") > before


def test_a_person_who_lets_a_contest_go_on_sees_it_end_again(pair: Federation) -> None:
    pair.link(both_ways("north", "south", *FIELDS))
    pair.orgs["north"].automate("Account", lambda new, _: {"Name": str(new["name"]).lower()})
    pair.orgs["south"].automate("Account", lambda new, _: {"Name": str(new["name"]).upper()})
    pair.edit("north", name="ann")
    pair.settle()
    pair.world.app.execute(
        "UPDATE orgstream.dead_letter SET requested = 'retry', request_reason = 'once more'"
    )
    pair.world.clock.advance()
    pair.settle()
    assert [cause for cause, _ in pair.letters()] == ["ping-pong"]
    assert pair.world.rows("SELECT count(*), count(resolved_at) FROM orgstream.dead_letter") == [(2, 1)]


def test_rules_that_map_a_value_to_and_fro_differently_settle_by_themselves(pair: Federation) -> None:
    pair.link(rule("north", "south", name="upper(name)"), rule("south", "north", name="lower(name)"))
    pair.edit("north", name="Ann")
    pair.settle()
    assert (pair.record("north")["name"], pair.record("south")["name"]) == ("Ann", "ANN")
    assert (pair.writes("north"), pair.writes("south")) == (0, 1)
    pair.edit("south", name="Bob")
    pair.settle()
    assert (pair.record("north")["name"], pair.record("south")["name"]) == ("bob", "Bob")
    assert (pair.writes("north"), pair.writes("south")) == (1, 1)
    assert pair.letters() == []


def test_a_dialogue_of_users_is_no_contest(pair: Federation) -> None:
    pair.link(both_ways("north", "south", *FIELDS))
    for turn in range(2 * pair.world.settings.echo_rounds):
        pair.edit(("north", "south")[turn % 2], name=f"turn {turn}")
        pair.settle()
    assert pair.letters() == []
    assert pair.row("north")["name"] == pair.row("south")["name"] == f"turn {turn}"
