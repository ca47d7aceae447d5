"""Records that refer to others, replicated into an org behind Heroku Connect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from pipeline.connect import Field, Mapping, SObject
from tests.fixtures.add_on import add_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.connect import Connection
    from tests.fixtures.world import World

NAME: Final = Field("Name", "string(80)")
EXT_ID: Final = Field("Ext_Id__c", "string(40)", external_id=True)
USER: Final = SObject("User", (Field("Username", "string(80)", unique=True),), without=("IsDeleted",))
ACCOUNT: Final = SObject(
    "Account", (NAME, EXT_ID, Field("ParentId", "reference(Account)"), Field("Boss__c", "reference(User)"))
)
CONTACT: Final = SObject("Contact", (NAME, EXT_ID, Field("AccountId", "reference(Account)", by="Ext_Id__c")))
TABLES: Final = """
DROP SCHEMA us, emea CASCADE;
CREATE SCHEMA emea;
CREATE TABLE emea.account (ext_id text PRIMARY KEY, name text, parent text, boss text);
CREATE TABLE emea.contact (ext_id text PRIMARY KEY, name text, account text);
"""
RULES: Final = """
[orgs.emea]
schema = "emea"
[orgs.uk]
schema = "uk"

[[rules]]
name = "accounts"
from = "emea.account"
to = "uk.account"
key = { ext_id__c = "ext_id" }
[rules.map]
name = "name"
parentid = { lookup = "uk.account", where = { ext_id__c = "parent" }, take = "sfid" }
[rules.map.boss__c]
lookup = "uk.user"
where = { username = "boss || '.uk'" }
take = "sfid"
missing = "default"
default = "'DEFAULT'"

[[rules]]
name = "contacts"
from = "emea.contact"
to = "uk.contact"
key = { ext_id__c = "ext_id" }
[rules.map]
name = "name"
account__ext_id__c = { lookup = "uk.account", where = { ext_id__c = "account" }, take = "ext_id__c" }
"""


class Company:
    """The org `uk` behind its add-on `heroku`, and what its users in emea write."""

    def __init__(self, world: World, heroku: Connection) -> None:
        self.world = world
        self.heroku = heroku
        self.org = heroku.org
        self.default = self.org.create("User", {"username": "default.uk"})
        self.ann = self.org.create("User", {"username": "ann.uk"})
        heroku.settle()
        world.apply_rules(RULES.replace("DEFAULT", self.default))
        self.relay, self.worker = world.relay(), world.worker()

    def account(self, ext_id: str, parent: str | None = None, boss: str | None = None) -> None:
        """A user makes an account."""
        self.world.app.execute("INSERT INTO emea.account VALUES (%s, 'Ann', %s, %s)", [ext_id, parent, boss])

    def contact(self, ext_id: str, account: str | None) -> None:
        """A user makes a contact."""
        self.world.app.execute("INSERT INTO emea.contact VALUES (%s, 'Ben', %s)", [ext_id, account])

    def apply(self) -> None:
        """Carry what was captured into the tables of uk, with what is periodic."""
        for _ in range(3):
            self.world.settle(self.relay, self.worker)
            self.world.clock.advance(2)

    def replicate(self) -> None:
        """All the way to Salesforce and back, as often as ids are waited for."""
        for _ in range(3):
            self.apply()
            self.heroku.settle()
        self.apply()

    def record(self, sobject: str, ext_id: str) -> dict[str, Any]:
        """The record in Salesforce."""
        (found,) = [row for row in self.org.query(sobject) if row["ext_id__c"] == ext_id]
        return dict(found)

    def waiting(self) -> list[str]:
        """The records that wait."""
        return [
            key for (key,) in self.world.rows("SELECT key ->> 'ext_id' FROM orgstream.waiting ORDER BY 1")
        ]

    def require_calm(self) -> None:
        """Nothing waits, nothing failed, here or in Salesforce."""
        assert self.waiting() == []
        assert self.world.rows("SELECT message FROM orgstream.dead_letter") == []
        assert self.world.rows("SELECT sf_message FROM uk._trigger_log_archive WHERE state = 'FAILED'") == []


@pytest.fixture
def uk(world: World) -> Iterator[Company]:
    world.app.execute(TABLES)
    mappings = (Mapping(USER, read_only=True), Mapping(ACCOUNT), Mapping(CONTACT))
    with add_on(str(world.settings.database_url), "uk", *mappings) as heroku:
        yield Company(world, heroku)


def test_an_update_of_a_record_that_the_target_lacks_inserts_it_whole(uk: Company) -> None:
    uk.world.app.execute("ALTER TABLE emea.account DISABLE TRIGGER USER")
    uk.account("A1", boss="ann")  # before it was captured
    uk.world.app.execute("ALTER TABLE emea.account ENABLE TRIGGER USER")
    uk.world.app.execute("UPDATE emea.account SET name = 'Anna'")
    uk.replicate()
    record = uk.record("Account", "A1")
    assert (record["name"], record["boss__c"]) == ("Anna", uk.ann)
    uk.require_calm()


def test_a_child_waits_for_its_parent_and_is_linked_by_its_external_id(uk: Company) -> None:
    uk.contact("C1", "A1")
    uk.contact("C2", None)
    uk.replicate()
    assert uk.waiting() == ["C1"]
    assert [row["ext_id__c"] for row in uk.org.query("Contact")] == ["C2"]
    uk.account("A1")
    uk.replicate()
    assert uk.record("Contact", "C1")["accountid"] == uk.record("Account", "A1")["sfid"]
    ((sfid, id_),) = uk.world.rows("SELECT accountid, sfid FROM uk.contact WHERE ext_id__c = 'C1'")
    assert (sfid, id_) == (uk.record("Account", "A1")["sfid"], uk.record("Contact", "C1")["sfid"])
    uk.require_calm()


def test_accounts_that_are_each_others_parents_are_inserted_and_then_linked(uk: Company) -> None:
    uk.account("A1", parent="A2")
    uk.account("A2", parent="A1")
    uk.apply()
    assert uk.world.rows("SELECT ext_id__c, parentid FROM uk.account ORDER BY 1") == [
        ("A1", None),
        ("A2", None),
    ]
    assert uk.waiting() == ["A1", "A2"]
    uk.replicate()
    first, second = uk.record("Account", "A1"), uk.record("Account", "A2")
    assert (first["parentid"], second["parentid"]) == (second["sfid"], first["sfid"])
    uk.require_calm()
