"""Dead letters by cause, looked at and settled, with an audit of who asked for what."""

from __future__ import annotations

import getpass
import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pipeline.letter_view import whole_letter
from pipeline.letters import grouped, request
from pipeline.postgres.refusal import refusal_of
from stages.rules.compile import compile_rules
from tests.fixtures.orgs import RULES
from tests.integration.recovery.conftest import LIMIT, NO_LIMIT

if TYPE_CHECKING:
    from tests.fixtures.processes import RunCommand
    from tests.integration.recovery.conftest import Pipeline


def test_letters_are_grouped_by_rule_cause_and_what_is_at_fault(pipeline: Pipeline) -> None:
    pipeline.world.app.execute(LIMIT)
    pipeline.world.app.execute("ALTER TABLE us.account ALTER COLUMN name SET NOT NULL")
    for key in ("a", "b"):
        pipeline.put(key, "big", 500)
        pipeline.settle()
        pipeline.put(key, "bigger", 600)
    pipeline.put("c", None, 5)
    pipeline.settle()
    found = [
        (g.rule, g.cause, g.sqlstate, g.column, g.constraint, len(g.letters), g.held)
        for g in grouped(pipeline.letters())
    ]
    assert found == [
        ("accounts", "refused", "23514", None, "small", 2, 2),
        ("accounts", "refused", "23502", "name", None, 1, 0),
    ]
    assert [letter.key for letter in pipeline.letters(cause="23502")] == ['{"ext_id" : "c"}']


def test_a_group_tells_the_column_whose_expression_failed(pipeline: Pipeline) -> None:
    pipeline.world.apply_rules(RULES.replace('amount = "amount"', 'amount = "10 / amount"'))
    pipeline.put("a", "nought", 0)
    pipeline.settle()
    [group] = grouped(pipeline.letters())
    assert (group.cause, group.sqlstate, group.column) == ("expression", "22012", "amount")


def test_a_letter_shows_its_change_the_write_what_waits_and_the_audit(pipeline: Pipeline) -> None:
    pipeline.world.app.execute(LIMIT)
    pipeline.put("a", "one", 500)
    pipeline.settle()
    pipeline.put("a", "two", 600)
    pipeline.settle()
    pipeline.ask("retry")
    [letter] = pipeline.letters()
    rules = compile_rules(pipeline.world.apply_rules())
    whole = whole_letter(pipeline.world.app, rules, letter)
    assert whole.change is not None
    assert whole.write is not None
    assert (whole.change.operation, json.loads(bytes(whole.change.after))["name"]) == ("INSERT", "one")
    assert (whole.write.action, whole.write.target) == ("upsert", "us.account")
    assert (whole.write.key, whole.write.values["name"]) == ({"ext_id": "a"}, "ONE")
    assert [held.operation for held in whole.held] == ["UPDATE"]
    assert [(audit.event, audit.how) for audit in whole.audit] == [("asked", "retry"), ("refused", "retry")]
    asked = whole.audit[0]
    assert (asked.actor, asked.reason) == (getpass.getuser(), f"{getpass.getuser()}: a test")
    assert asked.database_user
    assert letter.attempts == 2


def test_a_refused_value_is_not_kept_in_the_message(pipeline: Pipeline) -> None:
    with pytest.raises(psycopg.Error) as caught:
        pipeline.world.app.execute("SELECT 'secret'::integer")
    assert "secret" in str(caught.value)
    assert refusal_of(caught.value).message == "invalid input syntax for type integer"


def test_an_ask_is_final_once_the_worker_has_begun_with_it(pipeline: Pipeline) -> None:
    pipeline.world.app.execute(LIMIT)
    pipeline.put("a", "one", 500)
    pipeline.settle()
    letters = pipeline.letters()
    assert request(pipeline.world.app, letters, "skip", "first") == [letters[0].id]
    assert request(pipeline.world.app, letters, "retry", "second thoughts") == [letters[0].id]
    pipeline.world.app.execute("UPDATE orgstream.dead_letter SET resolution = 'retry: begun'")
    assert request(pipeline.world.app, letters, "skip", "too late") == []


def test_an_entry_that_nobody_could_read_is_skipped(pipeline: Pipeline) -> None:
    pipeline.put("a", "one", 5)
    pipeline.settle()
    ((tick,),) = pipeline.world.rows("SELECT max(id) FROM orgstream.tick")
    pipeline.world.redis.xadd("orgstream:{p01}:changes", {"change": b"none"}, id=f"{tick}-900")
    pipeline.settle()
    [letter] = pipeline.letters()
    assert letter.change_id is None
    assert request(pipeline.world.app, [letter], "retry", "in vain") == []
    pipeline.ask("skip")
    assert pipeline.letters() == []


@pytest.fixture
def env(pipeline: Pipeline) -> dict[str, str]:
    return {"DATABASE_URL": str(pipeline.world.settings.database_url)}


def test_the_commands(pipeline: Pipeline, env: dict[str, str], orgstream: RunCommand) -> None:
    pipeline.world.app.execute(LIMIT)
    pipeline.put("a", "Secret", 500)
    pipeline.settle()
    pipeline.put("a", "Secret two", 600)
    pipeline.settle()
    listed = orgstream("dead-letters", "list", env=env)
    assert "constraint small: 1 letter, 1 held" in listed.stdout
    assert "Secret" not in listed.stdout.upper() + listed.stderr
    shown = orgstream("dead-letters", "show", "--cause", "refused", env=env)
    assert 'name: "SECRET"' in shown.stdout
    document: Any = json.loads(orgstream("dead-letters", "list", "--json", env=env).stdout)
    assert document["groups"][0]["held"] == document["dead_letters"][0]["held"] == 1
    assert orgstream("dead-letters", "retry", env=env).code == 2
    assert orgstream("dead-letters", "skip", "--all", env=env).code == 2
    pipeline.world.app.execute(NO_LIMIT)
    assert orgstream("dead-letters", "retry", "--rule", "accounts", env=env).code == 0
    pipeline.settle()
    assert pipeline.targets() == {"a": ("SECRET TWO", 600)}
