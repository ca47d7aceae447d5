"""Records at fault become dead letters, with their cause; all other records flow on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.redis import keys
from tests.fixtures.orgs import RULES
from tests.integration.worker.conftest import account, ledger, letters, names

if TYPE_CHECKING:
    from tests.fixtures.world import World

LAYOUTS = [["filter,match,transform,apply"], ["filter", "match", "transform", "apply"]]


@pytest.fixture(params=LAYOUTS, ids=["fused", "split"])
def movers(world: World, request: pytest.FixtureRequest) -> list[Any]:
    """A relay and the workers of a layout, with their partitions."""
    movers: list[Any] = [world.relay(), *(world.worker(stages) for stages in request.param)]
    account(world, "first")
    world.settle(*movers)
    return movers


def foreign(world: World, partition: int, document: bytes, *, stream: str = "changes", field: str) -> None:
    """Append an entry of the newest tick's, behind all of its own."""
    ((tick,),) = world.rows("SELECT max(id) FROM orgstream.tick")
    world.redis.xadd(keys.stream(partition, stream), {field: document}, id=f"{tick}-900")


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"not json",
        b"\x00\xff\x1f",
        b'{"id": 1}',
        b'{"rules": 1}',
        json.dumps(
            {
                "id": 2**70,
                "schema": "emea",
                "table": "account",
                "operation": "INSERT",
                "origin": "x",
                "captured_at": "",
            }
        ).encode(),
    ],
    ids=["empty", "text", "bytes", "incomplete", "another", "overflow"],
)
def test_an_unreadable_entry(world: World, movers: list[Any], document: bytes) -> None:
    foreign(world, 1, document, field="change")
    account(world, "second")
    world.settle(*movers)
    assert names(world) == {"first": "ANN", "second": "ANN"}
    assert letters(world) == [("unreadable", None, None)]
    assert world.outstanding() == 0
    ((table, payload),) = world.rows("SELECT source_table, payload FROM orgstream.dead_letter")
    assert (table, payload is not None) == ("partition 1", True)


def test_a_change_with_values_that_postgres_cannot_hold(world: World, movers: list[Any]) -> None:
    ((tick,),) = world.rows("SELECT max(id) FROM orgstream.tick")
    row = {"ext_id": "x", "name": "n", "city": "c", "amount": 1, "active": True}
    change = {
        "id": 2**63 + 5,
        "schema": "emea",
        "table": "account",
        "operation": "INSERT",
        "origin": "x",
        "captured_at": "no time",
        "key": {"ext_id": "x"},
        "after": row,
    }
    world.redis.xadd(keys.stream(1, "changes"), {"change": json.dumps(change).encode()}, id=f"{tick}-900")
    account(world, "second")
    world.settle(*movers)
    assert names(world) == {"first": "ANN", "second": "ANN"}
    assert letters(world) == [("unreadable", None, None)]


@pytest.mark.parametrize("stream", ["kept", "matched", "writes"])
def test_an_undecodable_passage(world: World, stream: str) -> None:
    movers: list[Any] = [world.relay(), *(world.worker(stages) for stages in LAYOUTS[1])]
    account(world, "first")
    world.settle(*movers)
    foreign(world, 2, b'{"change": 5}', stream=stream, field="passage")
    account(world, "second")
    world.settle(*movers)
    assert names(world) == {"first": "ANN", "second": "ANN"}
    assert letters(world) == [("unreadable", None, None)]


def test_a_null_key(world: World, movers: list[Any]) -> None:
    world.apply_rules(
        RULES.replace('key = { ext_id = "ext_id" }\non_unmatched', 'key = { ext_id = "city" }\non_unmatched')
    )
    account(world, "second", city=None)
    account(world, "third", city="Oslo")
    world.settle(*movers)
    assert letters(world) == [("no-key", "accounts", {"city": None})]  # what its key reads is its identity
    assert names(world) == {"first": "ANN", "Oslo": "ANN"}


def test_an_expression_that_fails(world: World, movers: list[Any]) -> None:
    world.apply_rules(RULES.replace('amount = "amount"', 'amount = "10 / amount"'))
    account(world, "second", amount=0)
    account(world, "third", amount=4)
    world.settle(*movers)
    assert letters(world) == [("expression", "accounts", {"ext_id": "second"})]
    assert set(names(world)) == {"first", "third"}
    ((state, version),) = world.rows("SELECT sqlstate, rule_version FROM orgstream.dead_letter")
    assert (state, version) == ("22012", 2)


def test_a_refused_write_is_found_in_a_large_batch(world: World, movers: list[Any]) -> None:
    with world.session() as session:
        for number in range(50):
            email = None if number == 23 else "e@x"
            session.execute("INSERT INTO emea.contact VALUES (%s, 'a', %s)", [f"c{number}", email])
    world.settle(*movers)
    ((cause, rule, key, state, message),) = world.rows(
        "SELECT cause, rule, key, sqlstate, message FROM orgstream.dead_letter"
    )
    assert (cause, rule, key, state) == ("refused", "contacts", {"ext_id": "c23"}, "23502")
    assert "email" in message
    arrived = {key for (key,) in world.rows("SELECT ext_id FROM us.contact")}
    assert arrived == {f"c{number}" for number in range(50)} - {"c23"}
    assert len(ledger(world)) == 1 + 49


def test_a_trigger_that_refuses(world: World, movers: list[Any]) -> None:
    world.app.execute("""
        CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.ext_id = 'bad' THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON us.account FOR EACH ROW EXECUTE FUNCTION public.refuse();
        """)
    account(world, "bad")
    account(world, "good")
    world.settle(*movers)
    assert letters(world) == [("refused", "accounts", {"ext_id": "bad"})]
    assert set(names(world)) == {"first", "good"}
