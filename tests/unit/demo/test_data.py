"""The demo's records and orgs."""

from __future__ import annotations

import pytest

from pipeline.demo.data import People
from pipeline.demo.objects import HUB, MOST_ORGS, org_names, sends


def some(org: str, seed: int) -> list[object]:
    people = People(org, seed)
    return [people.account(), people.contact("A"), people.opportunity("A"), people.account()]


def test_the_same_seed_makes_the_same_records() -> None:
    assert some("emea", 1) == some("emea", 1)
    assert some("emea", 1) != some("emea", 2)


def test_external_ids_are_the_orgs_own() -> None:
    emea, us = People("emea", 1), People("us", 1)
    ids = [made["Ext_Id__c"] for made in (emea.account(), emea.account(), us.account(), emea.contact("A"))]
    assert len(set(ids)) == 4
    assert ids[0].startswith("EMEA-")


@pytest.mark.parametrize("kind", ["Account", "Contact", "Opportunity"])
def test_a_change_is_to_values_that_never_were(kind: str) -> None:
    people = People("emea", 1)
    record = {
        "Account": people.account(),
        "Contact": people.contact("A"),
        "Opportunity": people.opportunity("A"),
    }
    seen: dict[str, set[object]] = {}
    for edit in range(200):
        for field, value in people.new_values(kind, record[kind], edit=edit).items():
            assert value not in seen.setdefault(field, set())
            seen[field].add(value)
            record[kind][field] = value


@pytest.mark.parametrize("kind", ["Account", "Contact", "Opportunity"])
def test_a_turn_is_a_change(kind: str) -> None:
    people = People("emea", 1)
    record = {
        "Account": people.account(),
        "Contact": people.contact("A"),
        "Opportunity": people.opportunity("A"),
    }
    for _ in range(50):
        turned = people.turn(kind, record[kind])
        assert all(record[kind].get(field) != value for field, value in turned.items())
        record[kind] |= turned


def test_a_small_deal_stays_small_when_it_is_edited() -> None:
    people = People("emea", 1)
    deals = [people.opportunity("A") for _ in range(50)]
    for deal in deals:
        for edit in range(0, 10**6, 99_991):
            amount = people.new_values("Opportunity", deal, edit=edit).get("Amount", deal["Amount"])
            assert (amount < 9_000) == (deal["Amount"] < 9_000)


def test_orgs_take_their_parts_in_turn() -> None:
    assert org_names(2) == [HUB, "emea"]
    assert org_names(4) == [HUB, "emea", "us", "apac"]
    names = org_names(MOST_ORGS)
    assert len(set(names)) == MOST_ORGS == 8
    assert [sends(name) for name in names[:3]] == [True, True, False]
