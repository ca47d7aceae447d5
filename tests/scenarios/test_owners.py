"""Owners, whose ids belong to one org."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.letters import Selection, request, select

if TYPE_CHECKING:
    from tests.fixtures.recipes import Orgs

DEFAULT, ACTIVE, INACTIVE = "005000000000001AAA", "005000000000002AAA", "005000000000003AAA"
RULES: Final = f"""
[orgs.emea]
schema = "emea"
[orgs.us]
schema = "us"

[[rules]]
name = "accounts"
from = "emea.account"
to   = "us.account"
key  = {{ ext_id__c = "ext_id__c" }}
[rules.map]
name = "name"
[rules.map.ownerid]
expr    = "owner_username__c"
values  = {{ ann = "{ACTIVE}", ben = "{INACTIVE}" }}
default = "'{DEFAULT}'"
"""
MESSAGE: Final = "operation performed with inactive user"


def test_an_unknown_owner_becomes_the_default_and_an_inactive_one_is_told(orgs: Orgs) -> None:
    us = orgs.connections["us"].org
    us.validate("Account", lambda new, _: MESSAGE if new["ownerid"] == INACTIVE else None)
    orgs.begin(RULES)
    orgs.create("emea", "A1", owner_username__c="cleo")
    orgs.create("emea", "A2", owner_username__c="ben", refused=(MESSAGE,))
    assert owner(orgs, "A1") == DEFAULT
    assert orgs.record("us", "A2") is None
    orgs.update("emea", "A2", owner_username__c="ann", refused=(MESSAGE,))  # no record to update
    app = orgs.world.app
    request(app, select(app, Selection(cause="delivery")), "retry", "she owns it now")
    orgs.flow()
    assert owner(orgs, "A2") == ACTIVE


def owner(orgs: Orgs, ext_id: str) -> object:
    """Who owns an account in us."""
    record = orgs.record("us", ext_id)
    assert record is not None
    return record["ownerid"]
