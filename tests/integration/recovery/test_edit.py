"""Editing what a letter writes: checked, kept in the audit, applied once and in order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import ConfigurationError
from pipeline.letter_edit import LetterEditor
from pipeline.letters import request
from stages.rules.compile import compile_rules
from tests.fixtures.orgs import RULES
from tests.integration.recovery.conftest import LIMIT

if TYPE_CHECKING:
    from tests.fixtures.processes import RunCommand
    from tests.integration.recovery.conftest import Pipeline


def editor(pipeline: Pipeline, rules: str = RULES) -> LetterEditor:
    [letter] = pipeline.letters()
    return LetterEditor(pipeline.world.app, compile_rules(pipeline.world.apply_rules(rules)), letter)


def edit(pipeline: Pipeline, rules: str = RULES, **values: Any) -> None:
    """Ask for an edit, and let the worker do it."""
    change, _ = editor(pipeline, rules).propose(values, allow_key="ext_id" in values)
    request(pipeline.world.app, pipeline.letters(), "edit", "a test", change)
    pipeline.settle()


def fail(pipeline: Pipeline) -> None:
    """A record whose insert is refused for its amount, with an update of its name behind it."""
    pipeline.world.app.execute(LIMIT)
    pipeline.put("a", "one", 500)
    pipeline.settle()
    pipeline.world.app.execute("UPDATE emea.account SET name = 'two' WHERE ext_id = 'a'")
    pipeline.settle()


def test_an_edit_is_applied_and_then_what_waited_behind_it(pipeline: Pipeline) -> None:
    fail(pipeline)
    edit(pipeline, amount=50)
    assert pipeline.targets() == {"a": ("TWO", 50)}
    assert (pipeline.letters(), pipeline.held()) == ([], [])
    assert len(pipeline.ledger()) == 2
    ((resolution,),) = pipeline.world.rows("SELECT resolution FROM orgstream.dead_letter")
    assert resolution.startswith("edit: ")


def test_the_audit_keeps_both_values(pipeline: Pipeline) -> None:
    fail(pipeline)
    edit(pipeline, amount=50)
    audit = pipeline.world.rows(
        "SELECT event, how, before, after, actor IS NOT NULL FROM orgstream.letter_audit ORDER BY id"
    )
    assert [row[:2] for row in audit] == [("asked", "edit"), ("applied", "edit"), ("settled", "edit")]
    assert {(row[2]["amount"], row[3]["amount"], row[4]) for row in audit} == {(500, 50, True)}


def test_an_edit_that_is_refused_leaves_the_letter_as_it_was(pipeline: Pipeline) -> None:
    fail(pipeline)
    edit(pipeline, amount=5000)
    [letter] = pipeline.letters()
    assert (letter.attempts, letter.requested, letter.held) == (2, None, 1)
    pipeline.ask("retry")  # goes by the rule alone again
    assert len(pipeline.letters()) == 1
    edit(pipeline, amount=5)
    assert pipeline.targets() == {"a": ("TWO", 5)}


def test_a_value_that_the_rule_could_not_find_is_given_by_hand(pipeline: Pipeline) -> None:
    rules = RULES.replace('city = "city"', 'city = { expr = "city", values = { Rome = "R" } }')
    pipeline.world.apply_rules(rules)
    pipeline.put("a", "one", 5)
    pipeline.settle()
    assert editor(pipeline, rules).write.unknown == ["city"]
    edit(pipeline, rules, city="H")
    assert pipeline.world.rows("SELECT name, city FROM us.account") == [("ONE", "H")]


def test_a_column_that_an_update_did_not_change_is_written_when_it_is_edited(pipeline: Pipeline) -> None:
    pipeline.put("a", "one", 5)
    pipeline.settle()
    pipeline.world.app.execute(LIMIT)
    pipeline.put("a", "one", 500)
    pipeline.settle()
    edit(pipeline, amount=50, city="there")
    assert pipeline.world.rows("SELECT city, amount::int FROM us.account") == [("there", 50)]


def test_the_key_only_where_it_is_said(pipeline: Pipeline) -> None:
    fail(pipeline)
    with pytest.raises(ConfigurationError, match="--allow-key"):
        editor(pipeline).propose({"ext_id": "b", "amount": 5}, allow_key=False)
    edit(pipeline, ext_id="b", amount=5)
    assert pipeline.targets()["b"] == ("ONE", 5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"amont": 5}, "Did you mean amount"),
        ({"amount": "five"}, r"amount \(numeric\(12,2\)\): invalid input syntax"),
        ({"amount": 10**11}, "numeric field overflow"),
        ({"note": "x"}, "no column that rule accounts writes"),
        ({"amount": 500}, "nothing differs"),
        ({"amount": "500"}, "nothing differs"),
        ({}, "nothing differs"),
    ],
)
def test_what_does_not_fit_is_refused(pipeline: Pipeline, values: dict[str, Any], message: str) -> None:
    fail(pipeline)
    with pytest.raises(ConfigurationError, match=message):
        editor(pipeline).propose(values, allow_key=False)


def test_a_delete_has_nothing_to_edit(pipeline: Pipeline) -> None:
    pipeline.put("a", "one", 5)
    pipeline.settle()
    pipeline.world.app.execute(
        "CREATE TABLE us.child (parent text REFERENCES us.account); INSERT INTO us.child VALUES ('a')"
    )
    pipeline.world.app.execute("DELETE FROM emea.account")
    pipeline.settle()
    with pytest.raises(ConfigurationError, match="is a delete"):
        editor(pipeline)


def test_the_command(pipeline: Pipeline, orgstream: RunCommand) -> None:
    fail(pipeline)
    env = {"DATABASE_URL": str(pipeline.world.settings.database_url)}
    [letter] = pipeline.letters()
    base = ("dead-letters", "edit", "--id", str(letter.id))
    assert orgstream(*base, "--set", "amount=50", env=env).code == 2  # no reason
    refused = orgstream(*base, "--reason", "r", env=env)
    assert (refused.code, "needs a terminal" in refused.stderr) == (2, True)
    tried = orgstream(*base, "--set", "amount=50", "--reason", "r", "--dry-run", env=env)
    assert 'amount: 500 -> "50"' in tried.stdout
    assert pipeline.letters()[0].requested is None
    done = orgstream(*base, "--set", "amount=50", "--null", "city", "--reason", "agreed", "--json", env=env)
    assert done.code == 0, done.stderr
    columns = {one["column"]: one["after"] for one in json.loads(done.stdout)["differences"]}
    assert columns == {"amount": "50", "city": None}
    pipeline.settle()
    assert pipeline.world.rows("SELECT name, city, amount::int FROM us.account") == [("TWO", None, 50)]
