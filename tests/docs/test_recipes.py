"""docs/recipes.md: each rules file is valid, does what its text says, and is run between orgs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from pipeline.rules.validate import validate
from tests.docs.pages import DOCS, headings, section
from tests.docs.pages import blocks as blocks_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fixtures.recipes import Orgs

PAGE: Final = DOCS / "recipes.md"
RECIPES: Final = headings(PAGE)[1:]


def rules_of(heading: str) -> str:
    """The rules file of a recipe."""
    (found,) = [block.text for block in blocks_of(PAGE, "toml") if block.text in section(PAGE, heading)]
    return found


def both_ways(orgs: Orgs) -> None:
    orgs.create("emea", "A1", phone="1")
    orgs.update("us", "A1", phone="2")
    orgs.update("emea", "A1", name="Ben")
    for org in ("emea", "us"):
        assert seen(orgs, org, "name", "phone") == ("Ben", "2")


def hub_and_spoke(orgs: Orgs) -> None:
    orgs.create("emea", "A1", region__c="EU")
    assert seen(orgs, "us", "name", "region__c") == ("Ann", "EU")
    orgs.update("us", "A1", name="Ben")
    assert seen(orgs, "emea", "name") == ("Ben",)
    assert seen(orgs, "hub", "name", "source_org__c") == ("Ben", "emea")


def many_to_one(orgs: Orgs) -> None:
    orgs.create("us", "A1", name="of us", phone="1")
    assert seen(orgs, "hub", "name", "phone") == ("of us", "1")
    orgs.create("emea", "A1", name="of emea", region__c="EU", phone="2")
    assert seen(orgs, "hub", "name", "region__c", "phone") == ("of emea", "EU", "2")
    orgs.update("us", "A1", name="also of us", region__c="US", phone="3")
    assert seen(orgs, "hub", "name", "region__c", "phone") == ("of emea", "EU", "3")


def by_region(orgs: Orgs) -> None:
    orgs.create("hub", "A1", region__c="UK")
    assert (orgs.record("emea", "A1") is not None, orgs.record("us", "A1")) == (True, None)
    orgs.update("hub", "A1", region__c="CA")
    assert (orgs.record("emea", "A1"), orgs.record("us", "A1") is not None) == (None, True)


def users(orgs: Orgs) -> None:
    us = orgs.connections["us"].org
    known = us.create("User", {"username": "ben@emea.us", "isactive": True})
    us.create("User", {"username": "old@emea.us", "isactive": False})
    for ext_id, username in (("A1", "ben@emea"), ("A2", "old@emea"), ("A3", "nobody@emea")):
        orgs.create("emea", ext_id, owner_username__c=username)
    assert seen(orgs, "us", "ownerid") == (known,)
    for ext_id in ("A2", "A3"):
        assert seen(orgs, "us", "ownerid", ext_id=ext_id) == ("005000000000001AAA",)


def currencies(orgs: Orgs) -> None:
    orgs.create("emea", "D1", "Opportunity", amount=10.0, currencyisocode="GBP")
    record = orgs.record("hub", "D1", "Opportunity")
    assert record is not None
    assert (record["amount"], record["currencyisocode"], record["amount_eur__c"]) == (10.0, "GBP", 11.7)


def marked(orgs: Orgs) -> None:
    orgs.create("emea", "A1", status__c="Active")
    orgs.create("emea", "A2", status__c="Active")
    assert seen(orgs, "us", "active__c") == (True,)
    orgs.delete("emea", "A1")
    orgs.update("emea", "A2", status__c="Old")
    assert [seen(orgs, "us", "active__c", ext_id=ext_id) for ext_id in ("A1", "A2")] == [(False,), (False,)]
    orgs.update("emea", "A2", status__c="Active")
    assert seen(orgs, "us", "active__c", ext_id="A2") == (True,)


def new_org(orgs: Orgs) -> None:
    orgs.create("hub", "A1", region__c="US", phone="1")
    orgs.create("hub", "A2", region__c="EU")
    assert seen(orgs, "us", "phone") == ("1",)
    assert orgs.record("us", "A2") is None
    orgs.delete("hub", "A1")
    assert orgs.record("us", "A1") is not None


RUNS: Final[dict[str, Callable[[Orgs], None]]] = {
    "Two orgs, both ways": both_ways,
    "Hub and spoke": hub_and_spoke,
    "Many to one, with an order among the sources": many_to_one,
    "A subset by region": by_region,
    "Users of one org for those of another": users,
    "Amounts in several currencies, one way": currencies,
    "Deletes that only mark": marked,
    "A new org": new_org,
}


def seen(orgs: Orgs, org: str, *columns: str, ext_id: str = "A1") -> tuple[Any, ...]:
    """Fields of an account in Salesforce."""
    record = orgs.record(org, ext_id)
    assert record is not None
    return tuple(record.get(column) for column in columns)


def test_each_recipe_is_run() -> None:
    assert list(RUNS) == RECIPES


@pytest.mark.parametrize("heading", RECIPES)
def test_a_recipe_is_valid_and_does_what_it_says(heading: str, orgs: Orgs, tmp_path: Path) -> None:
    (tmp_path / "orgstream.toml").write_text(rules_of(heading), encoding="utf-8")
    validation = validate(orgs.world.app, tmp_path)
    assert [str(fault) for fault in (*validation.faults, *validation.warnings)] == []
    orgs.begin(rules_of(heading))
    RUNS[heading](orgs)
