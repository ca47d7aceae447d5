"""What is written to the targets: no more than what changed, by the rules that decided the change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from tests.fixtures.orgs import RULES
from tests.integration.worker.conftest import account, ledger, names

if TYPE_CHECKING:
    from tests.fixtures.world import World


def test_a_write_that_changes_nothing_is_not_issued(world: World) -> None:
    relay, worker = world.relay(), world.worker()
    account(world, "a")
    world.settle(relay, worker)
    before = world.rows("SELECT xmin::text, ctid::text FROM us.account")
    account(world, "a", "ANN")  # upper() makes the same of it
    world.settle(relay, worker)
    assert world.rows("SELECT xmin::text, ctid::text FROM us.account") == before
    world.app.execute("INSERT INTO us.account (ext_id, name, city, amount) VALUES ('c', 'ANN', 'Rome', 1.0)")
    adopted = world.rows("SELECT xmin::text FROM us.account WHERE ext_id = 'c'")
    account(world, "c")
    world.settle(relay, worker)
    assert world.rows("SELECT xmin::text FROM us.account WHERE ext_id = 'c'") == adopted
    assert [row[0] for row in ledger(world)] == [1, 3]


def test_only_mapped_and_changed_columns_are_written(world: World) -> None:
    world.app.execute("""
        CREATE TABLE public.touched (columns text[]);
        CREATE FUNCTION public.log() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO public.touched VALUES (ARRAY[TG_ARGV[0]]); RETURN NULL; END $$;
        """)
    for column in ("ext_id", "name", "city", "amount", "note"):
        world.app.execute(
            sql.SQL(
                "CREATE TRIGGER {0} AFTER UPDATE OF {0} ON us.account"
                " FOR EACH ROW EXECUTE FUNCTION public.log({1})"
            ).format(sql.Identifier(column), sql.Literal(column))
        )
    relay, worker = world.relay(), world.worker()
    account(world, "a")
    world.settle(relay, worker)
    account(world, "a", city="Oslo")
    world.settle(relay, worker)
    assert world.rows("SELECT columns FROM public.touched") == [(["city"],)]


def test_two_rules_write_one_row(world: World) -> None:
    second = """
[[rules]]
name = "notes"
from = "emea.contact"
to = "us.account"
key = { ext_id = "account" }
on_delete = { set = { note = "NULL" } }
[rules.map]
note = "email"
"""
    world.apply_rules(RULES + second)
    relay, worker = world.relay(), world.worker()
    account(world, "a")
    world.app.execute("INSERT INTO emea.contact VALUES ('c', 'a', 'e@x')")
    account(world, "a", "Bea")
    world.settle(relay, worker)
    assert world.rows("SELECT name, city, note FROM us.account") == [("BEA", "Rome", "e@x")]
    world.app.execute("DELETE FROM emea.contact")
    world.settle(relay, worker)
    assert world.rows("SELECT name, city, note FROM us.account") == [("BEA", "Rome", None)]


def test_rules_change_while_changes_are_under_way(world: World) -> None:
    """A change is decided by one rule set, from its first stage to its last."""
    relay = world.relay()
    first, second = world.worker("filter,match"), world.worker("transform,apply")
    account(world, "old")
    world.settle(relay, first)
    world.apply_rules(RULES.replace("upper(name)", "lower(name)"))
    account(world, "new")
    world.settle(relay, first, second)
    assert names(world) == {"old": "ANN", "new": "ann"}
    assert ledger(world) == [(1, 1, 1), (2, 1, 2)]


def test_a_rule_that_is_switched_off(world: World) -> None:
    relay, worker = world.relay(), world.worker()
    world.settle(relay, worker)
    world.apply_rules(RULES.replace('name = "accounts"', 'name = "accounts"\nenabled = false'))
    account(world, "a")
    world.settle(relay, worker)
    assert (names(world), ledger(world), world.outstanding()) == ({}, [], 0)
