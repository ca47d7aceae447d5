"""Edits of one record that come to an org from two others in one batch, and go on from there."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.fixtures.federation import Federation
from tests.integration.echoes.schemes import ORGS, rules_of

if TYPE_CHECKING:
    from tests.fixtures.world import World


@pytest.mark.parametrize("later", ["south", "west"])
def test_the_later_of_two_edits_goes_on_to_the_other_orgs(world: World, later: str) -> None:
    with contextlib.closing(Federation(world, ORGS[:4])) as federation:
        federation.link(*rules_of("hub", ORGS[:4]))
        federation.edit("north", name="Ann", city__c="Rome")
        federation.settle()
        for number, org in enumerate(("south", "west")):
            federation.clock.advance(10 if org == later else 5)
            federation.edit(org, city__c=f"city {number}")
            federation.clock.advance(-10 if org == later else -5)
            federation.heroku[org].read()
        federation.settle()
        assert {str(federation.record(org)["city__c"]) for org in ORGS[:4]} == {
            "city 0" if later == "south" else "city 1"
        }
        assert {federation.row(org)["city__c"] for org in ORGS[:4]} == {federation.record("north")["city__c"]}
