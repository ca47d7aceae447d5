"""The orgs of the demo, the objects they share, and which of them send and which receive."""

from __future__ import annotations

from typing import Final

from pipeline.connect import Field, Mapping, SObject

HUB: Final = "hub"
#: Regional orgs: every other one sends into the hub as emea does, the others receive from it as us does.
SENDERS: Final = ("emea", "apac", "anz", "mea")
RECEIVERS: Final = ("us", "latam", "canada")
MOST_ORGS: Final = 1 + len(SENDERS) + len(RECEIVERS)

INDUSTRIES: Final = ("Banking", "Chemicals", "Energy", "Healthcare", "Manufacturing", "Retail", "Technology")
STAGES: Final = ("Qualification", "Proposal", "Negotiation", "Won", "Lost")

_CROSS_ORG: Final = (
    Field("Ext_Id__c", "string(40)", external_id=True),
    Field("Source_Org__c", "string(20)"),
    Field("Local_Note__c", "string(255)"),
)
ACCOUNT: Final = SObject(
    "Account",
    (
        Field("Name", "string(80)", required=True),
        *_CROSS_ORG,
        Field("Phone", "phone"),
        Field("Industry", "picklist(40)"),
        Field("BillingCity", "string(80)"),
        Field("BillingCountry", "string(80)"),
        Field("AnnualRevenue", "currency(16,2)"),
        Field("NumberOfEmployees", "number(8,0)"),
        Field("Segment__c", "string(40)"),
        Field("Status__c", "picklist(40)"),
        Field("Active__c", "boolean"),
        Field("Rating", "picklist(40)"),
        Field("Region__c", "string(20)"),
    ),
)
CONTACT: Final = SObject(
    "Contact",
    (
        Field("FirstName", "string(40)"),
        Field("LastName", "string(80)", required=True),
        *_CROSS_ORG,
        Field("Full_Name__c", "string(130)"),
        Field("Email", "email"),
        Field("Phone", "phone"),
        Field("Title", "string(128)"),
        Field("Opt_Out__c", "boolean"),
        Field("AccountId", "reference(Account)", by="Ext_Id__c"),
        Field("Account_Ext_Id__c", "string(40)"),
    ),
)
OPPORTUNITY: Final = SObject(
    "Opportunity",
    (
        Field("Name", "string(120)", required=True),
        *_CROSS_ORG,
        Field("StageName", "picklist(40)"),
        Field("Amount", "currency(16,2)"),
        Field("CloseDate", "date"),
        Field("Quarter__c", "string(2)"),
        Field("AccountId", "reference(Account)", by="Ext_Id__c"),
        Field("Account_Ext_Id__c", "string(40)"),
    ),
)
OBJECTS: Final = (ACCOUNT, CONTACT, OPPORTUNITY)
MAPPINGS: Final = tuple(Mapping(sobject) for sobject in OBJECTS)


def org_names(count: int) -> list[str]:
    """The names of so many orgs: the hub first, then senders and receivers in turn."""
    regions = [name for pair in zip(SENDERS, (*RECEIVERS, ""), strict=True) for name in pair if name]
    return [HUB, *regions[: count - 1]]


def sends(org: str) -> bool:
    """Whether the records of an org's own go to others."""
    return org == HUB or org in SENDERS
