"""What Heroku Connect and loaders do to whole tables, and mappings that a rule cannot use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import psycopg
import pytest
from psycopg import sql

from pipeline.connect import Field, Mapping, SObject
from pipeline.letters import Selection, select
from pipeline.postgres.queries import load
from pipeline.rules.validate import validate
from tests.fixtures.add_on import add_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.connect import Connection
    from tests.fixtures.world import World

ACCOUNT: Final = SObject(
    "Account",
    (
        Field("Name", "string(80)", required=True),
        Field("Ext_Id__c", "string(40)", external_id=True),
        Field("Stage__c", "picklist(40)"),
    ),
)
SHORT: Final = SObject("Account", (Field("Name", "string(10)", required=True), *ACCOUNT.fields[1:]))
RULES: Final = """
[orgs.north]
schema = "north"
[orgs.south]
schema = "south"

[[rules]]
name = "accounts"
from = "north.account"
to = "south.account"
key = { ext_id__c = "ext_id__c" }
[rules.map]
name = "name"
stage__c = { expr = "stage__c", values = { Open = "New", Shut = "Closed" } }
"""


class Two:
    """Two orgs behind Heroku Connect, and the rule from the one to the other."""

    def __init__(self, world: World, north: Connection, south: Connection) -> None:
        self.world, self.north, self.south = world, north, south
        self.relay, self.worker = world.relay(), world.worker()

    def begin(self, records: int = 0) -> None:
        """Apply the rule, and bring so many records of the northern org into the southern one."""
        self.world.apply_rules(RULES)
        for number in range(records):
            self.north.org.create(
                "Account", {"Name": f"n{number}", "Ext_Id__c": f"x{number}", "Stage__c": "Open"}
            )
        self.north.settle()
        self.settle()
        self.south.settle()
        assert len(self.south.org.query("Account")) == records

    def settle(self) -> None:
        """Replicate, and let everything periodic come round."""
        for _ in range(2):
            self.world.settle(self.relay, self.worker)
            self.world.clock.advance()
        self.world.settle(self.relay, self.worker)

    def southern(self) -> list[tuple[object, ...]]:
        """The southern table, with what a write would change."""
        return self.world.rows("SELECT ext_id__c, name, id, sfid, xmin::text FROM south.account ORDER BY 1")


@pytest.fixture
def two(world: World) -> Iterator[Two]:
    url = str(world.settings.database_url)
    with add_on(url, "north", Mapping(ACCOUNT)) as north, add_on(url, "south", Mapping(SHORT)) as south:
        yield Two(world, north, south)


@pytest.mark.parametrize("truncate", [False, True], ids=["deleted", "truncated"])
def test_a_reload_of_a_mapping_sends_no_deletes_and_no_unchanged_rows(two: Two, truncate: bool) -> None:
    two.begin(records=60)
    before = two.southern()
    ids = two.world.rows("SELECT id FROM north.account")
    sfid = two.world.rows("SELECT sfid FROM north.account WHERE ext_id__c = 'x7'")[0][0]
    two.north.org.update("Account", sfid, {"Name": "changed"})  # before it is polled
    two.north.reload("Account", truncate=truncate)
    two.settle()
    assert set(two.world.rows("SELECT id FROM north.account")).isdisjoint(ids)
    after = two.southern()
    assert [row for row in after if row not in before] == [
        next(row for row in after if row[:2] == ("x7", "changed"))
    ]
    assert two.world.rows("SELECT action, record_id IS NOT NULL FROM south._trigger_log") == [
        ("UPDATE", True)
    ]
    assert [row[:1] + row[2:4] for row in after] == [row[:1] + row[2:4] for row in before]
    assert select(two.world.app, Selection()) == []
    assert two.world.rows("SELECT * FROM orgstream.held_change") == []
    two.south.settle()
    assert len(two.south.org.query("Account")) == 60
    # The guard was there: without the return, nothing would have been let through.
    held = two.world.rows("SELECT resolution FROM orgstream.dead_letter")
    assert held == ([] if truncate else [("cancelled: every record came back",)])


def test_a_picklist_value_that_no_table_knows_and_a_text_too_long_become_letters(two: Two) -> None:
    two.begin()
    for ext_id, name, stage in [("a", "Ann", "Odd"), ("b", "a name too long", "Open"), ("c", "Cid", "Shut")]:
        two.north.org.create("Account", {"Name": name, "Ext_Id__c": ext_id, "Stage__c": stage})
    two.north.settle()
    two.settle()
    assert [row[:2] for row in two.southern()] == [("c", "Cid")]
    unknown, long = sorted(select(two.world.app, Selection()), key=lambda letter: letter.key)
    assert (unknown.cause, unknown.column) == ("unmapped", "stage__c")
    assert "it knows 'Open', 'Shut'" in unknown.message
    assert (long.cause, long.column, long.sqlstate) == ("refused", "name", "22001")
    assert "`name` of south.account has 15 characters, and the column takes 10" in long.message


def test_our_sessions_find_what_heroku_connects_triggers_need(two: Two) -> None:
    """An application without `public` in its search path is refused by those triggers; we bring our own."""
    two.begin()
    world = two.world
    [(database,)] = world.rows("SELECT current_database()")
    world.app.execute(sql.SQL("ALTER DATABASE {} SET search_path = ''").format(sql.Identifier(database)))
    insert = "INSERT INTO north.account (name, ext_id__c) VALUES ('Ann', 'a')"
    with world.session() as session, pytest.raises(psycopg.errors.UndefinedFunction, match="get_xmlbinary"):
        session.execute(insert)
    world.app.execute(insert)
    two.relay, two.worker = world.relay(), world.worker()
    for stage in (None, "filter"):
        world.lose_leases(stage)
    two.settle()
    assert [row[:2] for row in two.southern()] == [("a", "Ann")]
    assert world.rows("SELECT state FROM south._trigger_log") == [("NEW",)]


def test_a_load_without_triggers_is_not_replicated_and_a_disabled_trigger_is_told(two: Two) -> None:
    two.begin()
    world = two.world
    with world.session() as session:
        session.execute("SET session_replication_role = replica")
        session.execute("INSERT INTO north.account (name, ext_id__c) VALUES ('Ann', 'a'), ('Bob', 'b')")
    world.app.execute("TRUNCATE south.account")
    two.settle()
    assert two.southern() == []
    assert ("north", "account", False) in world.rows(load("observe")["captures"])
    # The next change of such a row brings it whole.
    world.app.execute("UPDATE north.account SET name = 'Bea' WHERE ext_id__c = 'b'")
    two.settle()
    assert [row[:2] for row in two.southern()] == [("b", "Bea")]
    world.app.execute('ALTER TABLE north.account DISABLE TRIGGER "00_orgstream_update"')
    assert ("north", "account", True) in world.rows(load("observe")["captures"])


def test_a_field_that_heroku_connect_adds_is_ignored_until_a_rule_names_it(two: Two) -> None:
    two.begin(records=2)
    wider = SObject("Account", (*ACCOUNT.fields, Field("Phone__c", "string(40)")))
    with add_on(str(two.world.settings.database_url), "north", Mapping(wider), number=2):
        pass  # made anew
    two.world.app.execute("UPDATE north.account SET phone__c = '1', name = 'new'")
    two.settle()
    assert [row[1] for row in two.southern()] == ["new", "new"]
    two.world.apply_rules(RULES.replace('name = "name"', 'name = "COALESCE(phone__c, name)"'))
    two.world.app.execute("UPDATE north.account SET phone__c = '2'")
    two.settle()
    assert [row[1] for row in two.southern()] == ["2", "2"]
    assert select(two.world.app, Selection()) == []
    assert two.world.rows("SELECT * FROM orgstream.paused_rule") == []


def test_a_read_only_mapping_is_refused_as_a_target(world: World, two: Two, tmp_path: Path) -> None:
    with add_on(str(world.settings.database_url), "fixed", Mapping(ACCOUNT, read_only=True)):
        pass  # its tables are there
    file = tmp_path / "refused.toml"
    file.write_text(RULES.replace('"south"', '"fixed"'))
    [fault] = validate(world.app, file).faults
    assert "is a read-only mapping of Heroku Connect: Salesforce would never get it" in fault.message
    assert (fault.place.line, fault.suggestion) == (10, "make the mapping read-write in Heroku Connect")


def test_a_computed_column_is_refused_in_a_rule(world: World, two: Two, tmp_path: Path) -> None:
    world.app.execute(
        "ALTER TABLE south.account ADD COLUMN shout text GENERATED ALWAYS AS (upper(name)) STORED"
    )
    file = tmp_path / "refused.toml"
    file.write_text(RULES.replace('name = "name"', 'name = "name"\nshout = "name"\nsystemmodstamp = "now()"'))
    messages = [fault.message for fault in validate(world.app, file).faults]
    assert "`shout` of account is generated and cannot be written" in messages
    assert "`systemmodstamp` of account is kept by Heroku Connect and cannot be written" in messages
