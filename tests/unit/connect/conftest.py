"""A simulated org with two objects, and a clock that only the test moves."""

from __future__ import annotations

import random

import pytest

from pipeline.connect import Field, SalesforceOrg, SObject
from tests.fixtures.clock import Clock

ACCOUNT = SObject(
    "Account",
    (
        Field("Name", "string(80)", required=True),
        Field("Ext_Id__c", "string(40)", external_id=True),
        Field("Amount__c", "currency"),
        Field("Status__c", "picklist(255)", values=("New", "Active")),
        Field("Secret__c", "encrypted(175)"),
        Field("Number__c", "autonumber"),
        Field("Shout__c", "string(80)", formula=lambda row: str(row["name"]).upper()),
        Field("LastModifiedById", "reference(User)"),
    ),
)
CONTACT = SObject(
    "Contact",
    (
        Field("LastName", "string(80)", required=True),
        Field("AccountId", "reference(Account)", by="Ext_Id__c"),
        Field("Boss__c", "masterdetail(Contact)"),
    ),
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def org(clock: Clock) -> SalesforceOrg:
    return SalesforceOrg("emea", clock=clock, rng=random.Random(1), objects=(ACCOUNT, CONTACT))
