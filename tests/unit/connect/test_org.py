"""The simulated org: what its users do, what it refuses, and what a poll sees."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from pipeline.connect import Field, Refused, SObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.connect import Row, SalesforceOrg
    from tests.fixtures.clock import Clock

at = datetime.fromisoformat


def code_of(refused: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        refused()
    return caught.value.code


def test_a_new_record_has_what_salesforce_keeps(org: SalesforceOrg) -> None:
    sfid = org.create("Account", {"Name": " Ann ", "secret__c": "x", "Amount__c": 1})
    assert org.get("account", sfid) == {
        "sfid": sfid,
        "name": "Ann",
        "ext_id__c": None,
        "amount__c": 1.0,
        "status__c": None,
        "secret__c": "*****",
        "number__c": "00000001",
        "shout__c": "ANN",
        "lastmodifiedbyid": org.user,
        "createddate": at("2026-03-01T12:00:00"),
        "systemmodstamp": at("2026-03-01T12:00:00"),
        "isdeleted": False,
    }


def test_an_update_moves_the_stamp_to_the_whole_second_even_without_a_change(
    org: SalesforceOrg, clock: Clock
) -> None:
    sfid = org.create("Account", {"Name": "Ann"})
    clock.advance(1.9)
    org.update("Account", sfid, {"Name": "Ann"}, user=org.integration_user)
    row = org.get("Account", sfid)
    assert row is not None
    assert (row["systemmodstamp"], row["createddate"]) == (
        at("2026-03-01T12:00:02"),
        at("2026-03-01T12:00:00"),
    )
    assert row["lastmodifiedbyid"] == org.integration_user


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, "REQUIRED_FIELD_MISSING"),
        ({"Name": "  "}, "REQUIRED_FIELD_MISSING"),
        ({"Name": "A", "Status__c": "Other"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ({"Name": "A", "Nope__c": 1}, "INVALID_FIELD"),
        ({"Name": "A", "Shout__c": "A"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"Name": "A", "SystemModstamp": "2026-01-01"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"Name": "A", "Ext_Id__c": "taken"}, "DUPLICATE_VALUE"),
    ],
)
def test_what_is_refused_changes_nothing(org: SalesforceOrg, values: Row, code: str) -> None:
    org.create("Account", {"Name": "Holder", "Ext_Id__c": "taken"})
    position = org.position
    assert code_of(lambda: org.create("Account", values)) == code
    assert org.position == position
    assert len(org.query("Account")) == 1


def test_a_duplicate_is_told_in_salesforces_words(org: SalesforceOrg) -> None:
    holder = org.create("Account", {"Name": "Holder", "Ext_Id__c": "taken"})
    message = f"duplicate value found: Ext_Id__c duplicates value on record with id: {holder}"
    with pytest.raises(Refused, match=message):
        org.create("Account", {"Name": "A", "Ext_Id__c": " taken "})


def test_a_unique_value_is_free_again_after_a_change_or_a_delete(org: SalesforceOrg) -> None:
    first = org.create("Account", {"Name": "A", "Ext_Id__c": "x"})
    org.update("Account", first, {"Ext_Id__c": "y"})
    second = org.create("Account", {"Name": "B", "Ext_Id__c": "x"})
    org.delete("Account", second)
    org.update("Account", first, {"Ext_Id__c": "x"})
    assert code_of(lambda: org.undelete("Account", second)) == "DUPLICATE_VALUE"


def test_upsert_changes_the_record_that_holds_the_external_id(org: SalesforceOrg) -> None:
    sfid = org.upsert("Account", "Ext_Id__c", {"Name": "A", "Ext_Id__c": "x"})
    assert org.upsert("Account", "ext_id__c", {"Name": "B", "Ext_Id__c": " x "}) == sfid
    assert [row["name"] for row in org.query("Account")] == ["B"]


def test_a_parent_can_be_named_by_its_external_id(org: SalesforceOrg) -> None:
    parent = org.create("Account", {"Name": "A", "Ext_Id__c": "x"})
    child = org.create("Contact", {"LastName": "L", "account__ext_id__c": "x"})
    row = org.get("Contact", child)
    assert row is not None
    assert (row["accountid"], row["account__ext_id__c"]) == (parent, "x")
    org.update("Contact", child, {"account__ext_id__c": None})
    row = org.get("Contact", child)
    assert row is not None
    assert row["accountid"] is None


def test_a_parent_that_is_not_there_is_refused(org: SalesforceOrg) -> None:
    with pytest.raises(Refused, match="Foreign key external ID: x not found for field Ext_Id__c in entity"):
        org.create("Contact", {"LastName": "L", "account__ext_id__c": "x"})
    parent = org.create("Account", {"Name": "A"})
    unknown = {"LastName": "L", "AccountId": parent[:-4] + "zAAA"}
    assert code_of(lambda: org.create("Contact", unknown)) == "INVALID_CROSS_REFERENCE_KEY"
    org.delete("Account", parent)
    assert (
        code_of(lambda: org.create("Contact", {"LastName": "L", "AccountId": parent})) == "ENTITY_IS_DELETED"
    )


def test_a_flow_runs_for_everybody_and_a_rule_sees_its_result(org: SalesforceOrg) -> None:
    org.automate("Account", lambda _, old: {"Status__c": "New"} if old is None else None)
    org.validate("Account", lambda new, _: "no new ones" if new["status__c"] == "New" else None)
    assert code_of(lambda: org.create("Account", {"Name": "A"})) == "FIELD_CUSTOM_VALIDATION_EXCEPTION"


def test_a_poll_sees_each_changed_record_once_as_it_is_now(org: SalesforceOrg) -> None:
    first = org.create("Account", {"Name": "A"})
    second = org.create("Account", {"Name": "B"})
    org.update("Account", first, {"Name": "A2"})
    seen = org.changes("Account", 0)
    assert [(change.sfid, change.row and change.row["name"]) for change in seen] == [
        (second, "B"),
        (first, "A2"),
    ]
    assert org.changes("Account", seen[-1].sequence) == []
    assert not org.has_changes("Account", seen[-1].sequence)
    org.delete("Account", second)
    assert [(change.sfid, change.row) for change in org.changes("Account", seen[-1].sequence)] == [
        (second, None)
    ]


def test_an_undeleted_record_keeps_its_id_and_brings_its_details_back(org: SalesforceOrg) -> None:
    boss = org.create("Contact", {"LastName": "Boss"})
    detail = org.create("Contact", {"LastName": "Detail", "Boss__c": boss})
    org.delete("Contact", boss)
    assert org.query("Contact") == []
    org.undelete("Contact", boss)
    assert {row["sfid"] for row in org.query("Contact")} == {boss, detail}
    assert code_of(lambda: org.undelete("Contact", boss)) == "UNDELETE_FAILED"


def test_an_emptied_bin_is_never_polled(org: SalesforceOrg) -> None:
    sfid = org.create("Account", {"Name": "A"})
    position = org.position
    org.delete("Account", sfid)
    assert org.empty_recycle_bin() == 1
    assert org.changes("Account", position) == []
    assert code_of(lambda: org.delete("Account", sfid)) == "INVALID_CROSS_REFERENCE_KEY"


def test_a_merge_deletes_the_losers_and_re_points_their_children(org: SalesforceOrg) -> None:
    winner, loser = (org.create("Account", {"Name": name}) for name in "WL")
    child = org.create("Contact", {"LastName": "L", "AccountId": loser})
    position = org.position
    org.merge("Account", winner, [loser], {"Name": "Both"})
    assert [(row["sfid"], row["name"]) for row in org.query("Account")] == [(winner, "Both")]
    row = org.get("Contact", child)
    assert row is not None
    assert row["accountid"] == winner
    assert {change.sfid for change in org.changes("Contact", position)} == {child}
    assert code_of(lambda: org.merge("Account", winner, [winner])) == "MERGE_FAILED"


def test_adopted_records_are_not_polled_and_their_ids_not_given_again(org: SalesforceOrg) -> None:
    rows = [{"sfid": f"0018ql0000JXAF{letter}AAP", "name": letter, "ext_id__c": letter} for letter in "mno"]
    assert org.adopt("Account", rows) == 3
    assert org.adopt("Account", rows) == 0
    assert org.changes("Account", 0) == []
    assert org.upsert("Account", "Ext_Id__c", {"Name": "M", "Ext_Id__c": "m"}) == rows[0]["sfid"]


def test_custom_objects_get_prefixes_of_their_own(org: SalesforceOrg) -> None:
    for name in ("One__c", "Two__c"):
        org.define(SObject(name, (Field("Name", "string(80)"),)))
    assert [org.create(name, {})[:3] for name in ("One__c", "Two__c")] == ["a00", "a01"]
    with pytest.raises(ValueError, match="other fields"):
        org.define(SObject("One__c", ()))
    assert code_of(lambda: org.create("Three__c", {})) == "INVALID_TYPE"


def test_a_field_cannot_be_given_twice() -> None:
    with pytest.raises(ValueError, match="name"):
        SObject("Account", (Field("Name", "string(80)"), Field("name", "string(80)")))
