"""A table that is altered while rules run pauses the rules that need what is gone, and them alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, LiteralString

import pytest
from psycopg import sql

from pipeline.letters import resume
from tests.fixtures.orgs import RULES
from tests.integration.worker.conftest import account, letters

if TYPE_CHECKING:
    from pipeline.relay import Relay
    from pipeline.worker import Worker
    from tests.fixtures.world import World

NAMES = '\n[[rules]]\nname = "names"\nfrom = "emea.account"\nto = "us.person"\nkey = { id = "ext_id" }\n'


class Pipeline:
    """Two rules read accounts: one all columns, one only the name; a third reads contacts."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.app.execute("CREATE TABLE us.person (id text PRIMARY KEY, name text)")
        world.apply_rules(RULES + NAMES + 'map = { name = "name" }\n')
        self.relay: Relay = world.relay()
        self.worker: Worker = world.worker()
        account(world, "first")
        self.settle()

    def settle(self) -> None:
        """Carry everything, and look after what is paused."""
        for _ in range(3):
            self.world.settle(self.relay, self.worker)
            self.world.clock.advance()

    def run(self, statement: LiteralString) -> None:
        """A statement, and what comes of it."""
        self.world.app.execute(statement)
        self.settle()

    def paused(self) -> list[tuple[str, str]]:
        """The rules that are paused, and why."""
        return self.world.rows(
            "SELECT r.name, p.reason FROM orgstream.paused_rule AS p"
            " JOIN orgstream.replication_rules AS r USING (rule_id) WHERE p.cause = 'schema'"
        )

    def persons(self) -> set[str]:
        """Whom the rule `names` has brought."""
        return {id_ for (id_,) in self.world.rows("SELECT id FROM us.person")}


@pytest.fixture
def pipeline(world: World) -> Pipeline:
    return Pipeline(world)


def test_a_dropped_target_column_pauses_its_rule_alone_until_it_is_back(pipeline: Pipeline) -> None:
    world = pipeline.world
    world.app.execute("ALTER TABLE us.account DROP COLUMN amount")
    for number in range(300):
        account(world, f"a{number}", f"n{number}")
    pipeline.run("INSERT INTO emea.contact VALUES ('c', 'a', 'e@x')")
    [(rule, why)] = pipeline.paused()
    assert rule == "accounts"
    assert "us.account has no column `amount` any more, which the rule writes" in why
    assert "edit the rule accounts" in why
    assert letters(world) == []
    assert len(pipeline.persons()) == 301
    assert len(world.rows("SELECT FROM us.contact")) == 1
    account(world, "a0", "later")
    pipeline.settle()
    pipeline.run("ALTER TABLE us.account ADD COLUMN amount numeric(12, 2)")
    assert pipeline.paused() == []
    assert len(world.rows("SELECT FROM us.account")) == 301
    assert world.rows("SELECT name FROM us.account WHERE ext_id = 'a0'") == [("LATER",)]
    assert world.rows("SELECT * FROM orgstream.held_change") == []


def test_a_renamed_target_column_is_proposed_and_rules_applied_anew_let_it_go_on(pipeline: Pipeline) -> None:
    world = pipeline.world
    world.app.execute("ALTER TABLE us.account RENAME COLUMN city TO town")
    account(world, "second")
    pipeline.settle()
    [(_, why)] = pipeline.paused()
    assert "`city` any more, which the rule writes (renamed to `town`?)" in why
    world.apply_rules(RULES.replace('city = "city"', 'town = "city"'))
    pipeline.settle()
    assert pipeline.paused() == []
    assert world.rows("SELECT ext_id, town FROM us.account ORDER BY 1") == [
        ("first", "Rome"),
        ("second", "Rome"),
    ]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "ALTER TABLE us.account ALTER city TYPE integer USING 0",
            "`city` of us.account is integer now, and was text",
        ),
        ("DROP TABLE us.account", "us.account is gone, which `to` names"),
        (
            "ALTER TABLE us.account DROP CONSTRAINT account_pkey",
            "us.account has no unique index on (ext_id) any more",
        ),
    ],
)
def test_whatever_a_target_loses_is_named(pipeline: Pipeline, statement: LiteralString, said: str) -> None:
    pipeline.world.app.execute(statement)
    account(pipeline.world, "second")
    pipeline.settle()
    [(rule, why)] = pipeline.paused()
    assert (rule, letters(pipeline.world)) == ("accounts", [])
    assert said in why
    assert pipeline.persons() == {"first", "second"}


def test_a_dropped_source_column_pauses_the_rules_that_read_it(pipeline: Pipeline) -> None:
    world = pipeline.world
    world.app.execute("ALTER TABLE emea.account DROP COLUMN city")
    for number in range(300):
        world.app.execute(
            "INSERT INTO emea.account (ext_id, name, active) VALUES (%s, 'n', true)", [f"a{number}"]
        )
    pipeline.settle()
    [(rule, why)] = pipeline.paused()
    assert rule == "accounts"
    assert "emea.account has no column `city` any more, which the rule reads" in why
    assert letters(world) == []
    assert len(pipeline.persons()) == 301
    # Back again: what was captured meanwhile has no city.
    pipeline.run("ALTER TABLE emea.account ADD COLUMN city text")
    assert pipeline.paused() == []
    assert letters(world) == []
    assert world.rows("SELECT count(*), count(city) FROM us.account") == [(301, 1)]


@pytest.mark.parametrize("column", ["active", "amount"], ids=["read", "copied"])
def test_a_retyped_source_column_pauses_the_rules_that_read_it(pipeline: Pipeline, column: str) -> None:
    world = pipeline.world
    world.app.execute(sql.SQL("ALTER TABLE emea.account ALTER {} TYPE text").format(sql.Identifier(column)))
    world.app.execute(
        sql.SQL("UPDATE emea.account SET {} = 'x', name = 'Bob'").format(sql.Identifier(column))
    )
    pipeline.settle()
    assert world.rows("SELECT name FROM us.person") == [("Bob",)]
    [(rule, why)] = pipeline.paused()
    assert (rule, letters(world)) == ("accounts", [])
    assert f"`{column}` of emea.account is text now" in why


def test_a_rule_that_is_resumed_too_early_is_paused_again(pipeline: Pipeline) -> None:
    world = pipeline.world
    world.app.execute("ALTER TABLE us.account DROP COLUMN amount")
    account(world, "second")
    pipeline.settle()
    assert resume(world.app, "accounts")
    pipeline.settle()
    assert [rule for rule, _ in pipeline.paused()] == ["accounts"]
    assert letters(world) == []
    pipeline.run("ALTER TABLE us.account ADD COLUMN amount numeric(12, 2)")
    assert len(world.rows("SELECT FROM us.account")) == 2


def test_what_a_trigger_of_the_target_does_not_find_is_no_fault_of_the_rule(pipeline: Pipeline) -> None:
    world = pipeline.world
    world.app.execute("""
        CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM nothing FROM us.nowhere; RETURN NEW; END $$;
        CREATE TRIGGER fail BEFORE INSERT ON us.account FOR EACH ROW EXECUTE FUNCTION public.fail();
        """)
    account(world, "second")
    pipeline.settle()
    assert pipeline.paused() == []
    assert letters(world) == [("schema", "accounts", {"ext_id": "second"})]
