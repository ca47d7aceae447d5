"""What `orgstream explain` tells of real records, and that it writes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pipeline.cli import main
from pipeline.explain.explanation import explain_rule
from pipeline.explain.subject import by_key
from pipeline.rules import store
from tests.fixtures.orgs import RULES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.explain.subject import Subject
    from stages.rules.model import Table
    from tests.fixtures.world import World

    Explain = Callable[..., dict[str, Any]]


def put(world: World, name: str, *, active: bool = True, amount: float = 5) -> None:
    world.app.execute(
        "INSERT INTO emea.account VALUES ('x', %s, 'Rome', %s, %s) ON CONFLICT (ext_id) DO UPDATE"
        " SET name = excluded.name, amount = excluded.amount, active = excluded.active",
        [name, amount, active],
    )


def differing(found: dict[str, Any]) -> list[str]:
    return [column["column"] for column in found["target"]["columns"] if column["differs"]]


def test_a_record_that_enters(world: World, explained: Explain) -> None:
    put(world, "Ann")
    found = explained("accounts", "--key", "x")
    assert found["record"]["is"].startswith("the last captured change of the record, ")
    assert (found["record"]["operation"], found["record"]["key"]) == ("INSERT", {"ext_id": "x"})
    assert [(check["name"], check["passes"]) for check in found["filter"]["checks"]] == [
        ("enabled", True),
        ("on", True),
        ("origins", True),
        ("path", True),
    ]
    when = found["match"]["when"]
    assert (when["expression"], when["before"], when["after"]) == ("active", None, True)
    assert (when["inputs_before"], when["inputs_after"]) == (None, {"active": True})
    assert found["match"]["outcome"] == "enter"
    name, city, amount = found["transform"]["columns"]
    assert (name["expression"], name["inputs_after"], name["after"]) == (
        "upper(name)",
        {"name": "Ann"},
        "ANN",
    )
    assert (city["after"], amount["after"]) == ("Rome", 5)
    (statement,) = found["apply"]["statements"]
    assert statement["sql"].startswith('INSERT INTO "us"."account" AS t ("ext_id", ')
    assert statement["records"] == [{"ext_id": "x", "name": "ANN", "city": "Rome", "amount": 5}]
    assert not found["target"]["found"]
    assert found["state"]["applied_at"] is None


def test_the_statement_is_the_one_that_apply_runs(world: World, explained: Explain) -> None:
    put(world, "Ann")
    (statement,) = explained("accounts", "--key", "x")["apply"]["statements"]
    records = json.dumps(statement["records"])
    world.app.execute(statement["sql"].encode(), {"records": records})
    by_hand = world.rows("SELECT * FROM us.account")
    world.app.execute("DELETE FROM us.account")
    world.settle(world.relay(), world.worker())
    assert world.rows("SELECT * FROM us.account") == by_hand


def test_a_record_that_changes_inside(world: World, explained: Explain) -> None:
    put(world, "Ann")
    world.settle(world.relay(), world.worker())
    put(world, "Ann", amount=7.126)
    found = explained("accounts", "--key", "x")
    assert found["match"]["outcome"] == "inside"
    assert found["transform"]["write"]["changed"] == ["amount"]
    update, insert = found["apply"]["statements"]
    assert update["sql"].startswith('UPDATE "us"."account" AS t SET "amount" = r."amount" FROM')
    assert insert["condition"] == "only if the update finds no row"
    assert insert["records"] == [{"ext_id": "x", "name": "ANN", "city": "Rome", "amount": 7.126}]
    assert found["target"]["found"]
    assert differing(found) == ["amount"]
    (amount,) = (column for column in found["target"]["columns"] if column["column"] == "amount")
    assert (amount["now"], amount["wanted"]) == (5.0, 7.13)  # as its column rounds it


def test_what_was_applied_says_its_version(world: World, explained: Explain) -> None:
    put(world, "Ann")
    world.settle(world.relay(), world.worker())
    found = explained("accounts", "--key", "x")
    assert (found["state"]["applied_version"], bool(found["state"]["applied_at"])) == (1, True)
    assert (found["target"]["found"], differing(found)) == (True, [])
    world.app.execute("UPDATE us.account SET city = 'Oslo'")
    assert differing(explained("accounts", "--key", "x")) == ["city"]


def test_a_record_that_leaves_and_one_that_is_deleted(world: World, explained: Explain) -> None:
    put(world, "Ann")
    world.settle(world.relay(), world.worker())
    put(world, "Ann", active=False)
    left = explained("accounts", "--key", "x")
    assert (left["match"]["outcome"], left["transform"]["columns"]) == ("leave", [])
    assert left["apply"]["statements"][0]["sql"].startswith('DELETE FROM "us"."account"')
    put(world, "Ann")
    world.app.execute("DELETE FROM emea.account")
    deleted = explained("accounts", "--key", '{"ext_id": "x"}')
    assert (deleted["record"]["operation"], deleted["match"]["outcome"]) == ("DELETE", "delete")
    assert deleted["target"]["found"]


def test_a_record_that_the_rule_does_not_want(world: World, explained: Explain) -> None:
    put(world, "Ann", active=False)
    found = explained("accounts", "--key", "x")
    assert (found["match"]["outcome"], found["match"]["when"]["after"]) == ("none", False)
    assert found["apply"]["statements"] == []
    with world.app.transaction():
        world.app.execute("SET LOCAL orgstream.path = 'us'")
        put(world, "Bob")
    found = explained("accounts", "--key", "x")
    assert [check["name"] for check in found["filter"]["checks"] if not check["passes"]] == ["path"]
    assert (found["filter"]["passes"], found["apply"]["statements"]) == (False, [])


def test_a_record_without_a_change_in_the_queue(world: World, explained: Explain) -> None:
    put(world, "Ann")
    world.app.execute("TRUNCATE orgstream.change_queue")
    found = explained("accounts", "--key", '{"name": "Ann"}')
    assert found["record"]["is"] == "the record as it stands, as if it were inserted now"
    assert (found["match"]["outcome"], found["record"]["id"]) == ("enter", 0)


def test_a_held_record(world: World, explained: Explain, tmp_path: Path) -> None:
    world.app.execute("ALTER TABLE us.account ADD CONSTRAINT small CHECK (amount < 100)")
    relay, worker = world.relay(), world.worker()
    put(world, "Ann", amount=500)
    world.settle(relay, worker)
    put(world, "Ann", amount=6)
    world.settle(relay, worker)
    state = explained("accounts", "--key", "x")["state"]
    (letter,) = state["letters"]
    assert (letter["cause"], letter["held"], state["waits_behind"]) == ("refused", 1, letter["id"])
    world.app.execute("INSERT INTO orgstream.paused_rule (rule_id, reason) VALUES (1, 'a test')")
    assert explained("accounts", "--key", "x")["state"]["paused"].startswith("a test, since ")
    world.app.execute("DELETE FROM orgstream.change_queue")  # what retention does in the end
    by_hand = tmp_path / "record.json"
    by_hand.write_text('{"ext_id": "x"}')
    for option in (["--key", "x"], ["--record", str(by_hand)]):
        assert explained("accounts", *option)["state"]["waits_behind"] == letter["id"]


def test_a_value_that_the_target_refuses(world: World, explained: Explain) -> None:
    put(world, "Ann", amount=1e12)
    target = explained("accounts", "--key", "x")["target"]
    assert target["fault"] == "numeric field overflow (22003)"


def test_an_expression_that_fails(world: World, explained: Explain, tmp_path: Path) -> None:
    file = tmp_path / "odd.toml"
    file.write_text(RULES.replace('amount = "amount"', 'amount = "1 / (amount - 5)"'))
    put(world, "Ann")
    found = explained("accounts", "--key", "x", "--rules", str(file))
    amount = found["transform"]["columns"][-1]
    assert (amount["column"], amount["fault"]) == ("amount", "division by zero")
    assert found["transform"]["reject"]["cause"] == "expression"
    assert found["version"] == 2  # as it would be
    assert found["target"]["fault"] == "a mapped column has no value"


def test_it_reads_for_a_person(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    put(world, "Ann")
    assert main(["explain", "accounts", "--key", "x"]) == 0
    found = capsys.readouterr().out.splitlines()
    assert found[0] == "rule accounts (version 1 of rule set 1): emea.account to us.account"
    assert "match: enter" in found
    assert '    after: "ANN" from {"name":"Ann"}' in found
    assert "target: the row is not there" in found
    assert '  name: no row, by the rule "ANN": differs' in found


def test_it_cannot_write(world: World) -> None:
    put(world, "Ann")

    def find(connection: psycopg.Connection, table: Table) -> Subject:
        connection.execute("DELETE FROM emea.account")
        return by_key(connection, table, "x")

    live = store.live(world.app)
    assert live is not None
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        explain_rule(world.app, live, "accounts", find)
    assert world.app.execute("DELETE FROM emea.account").rowcount == 1  # the session is as it was
