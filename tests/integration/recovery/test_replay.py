"""Past changes replayed, those never applied or all by force; never an older image over a later one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import ConfigurationError
from pipeline.replay.job import failures, resumable
from pipeline.replay.rehearsal import rehearse
from pipeline.replay.run import live_rules
from pipeline.replay.selection import Selection, scope
from tests.fixtures.orgs import RULES
from tests.integration.recovery.conftest import LIMIT, NO_LIMIT

if TYPE_CHECKING:
    from pipeline.replay.rehearsal import Rehearsal
    from tests.integration.recovery.conftest import Pipeline


def disabled() -> str:
    """The rules, of which the one for accounts takes nothing; so the table stays captured."""
    return RULES.replace('when = "active"', 'when = "false"')


def foreseen(pipeline: Pipeline, *, force: bool = False, **selection: Any) -> Rehearsal:
    """A dry run."""
    rules = live_rules(pipeline.world.app)
    chosen = Selection(**selection)
    return rehearse(
        pipeline.world.app, chosen, scope(chosen, rules), rules, force=force, progress=lambda _: None
    )


def test_what_came_while_the_rule_was_not_there_is_applied(pipeline: Pipeline) -> None:
    pipeline.world.apply_rules(disabled())
    pipeline.put("a", "one", 1)
    pipeline.put("b", "one", 1)
    pipeline.put("a", "two", 2)
    pipeline.settle()
    assert pipeline.targets() == {}
    pipeline.world.apply_rules()
    done = pipeline.replay()
    assert pipeline.targets() == {"a": ("TWO", 2), "b": ("ONE", 1)}
    assert (done.selected, done.records, done.done, done.applied) == (3, 2, 2, 3)
    assert len(pipeline.ledger()) == 3
    assert pipeline.replay().selected == 0


def test_an_old_insert_does_not_overwrite_what_was_applied_later(pipeline: Pipeline) -> None:
    pipeline.world.apply_rules(disabled())
    pipeline.put("a", "one", 1)
    pipeline.settle()
    pipeline.world.apply_rules()
    pipeline.put("a", "two", 2)
    pipeline.settle()
    pipeline.replay(ids=(1,))
    assert pipeline.targets() == {"a": ("TWO", 2)}
    assert len(pipeline.ledger()) == 2


def test_an_old_insert_does_not_bring_back_what_was_deleted(pipeline: Pipeline) -> None:
    pipeline.world.apply_rules(disabled())
    pipeline.put("a", "one", 1)
    pipeline.settle()
    pipeline.world.apply_rules()
    pipeline.world.app.execute("DELETE FROM emea.account")
    pipeline.settle()
    pipeline.replay()
    assert pipeline.targets() == {}


def test_what_is_on_its_way_finds_itself_in_the_ledger(pipeline: Pipeline) -> None:
    pipeline.world.apply_rules(disabled())
    pipeline.put("a", "one", 1)
    pipeline.settle()
    pipeline.world.apply_rules()
    replayer = pipeline.replayer()
    pipeline.put("a", "two", 2)
    assert pipeline.relay.step()  # it stands in the streams
    while pipeline.step(replayer):
        pass
    assert pipeline.targets() == {"a": ("TWO", 2)}
    pipeline.world.app.execute("UPDATE us.account SET name = 'BY HAND'")
    pipeline.settle()
    assert pipeline.targets() == {"a": ("BY HAND", 2)}  # it did not come a second time
    assert len(pipeline.ledger()) == 2


def test_a_record_that_changes_its_key_meanwhile(pipeline: Pipeline) -> None:
    pipeline.world.apply_rules(disabled())
    for number in range(8):
        pipeline.put(f"r{number}", "one", 1)
    pipeline.settle()
    pipeline.world.apply_rules()
    replayer = pipeline.replayer()
    pipeline.world.app.execute("UPDATE emea.account SET ext_id = 'x' || ext_id, amount = 2")
    pipeline.put("xr0", "last", 3)
    pipeline.settle()
    while pipeline.step(replayer, 2):
        pass
    pipeline.settle()
    expected = {f"xr{number}": ("ONE", 2) for number in range(1, 8)}
    assert pipeline.targets() == expected | {"xr0": ("LAST", 3)}


def test_what_was_skipped_is_applied_in_its_place(pipeline: Pipeline) -> None:
    pipeline.world.app.execute(LIMIT)
    pipeline.put("a", "one", 500)
    pipeline.settle()
    pipeline.ask("skip")
    pipeline.world.app.execute(NO_LIMIT)
    pipeline.world.app.execute("UPDATE emea.account SET amount = 7 WHERE ext_id = 'a'")
    pipeline.settle()
    pipeline.replay(rules=("accounts",))
    assert pipeline.targets() == {"a": ("ONE", 7)}


def test_what_waits_behind_a_letter_or_a_pause_is_left_alone(pipeline: Pipeline) -> None:
    pipeline.world.app.execute(LIMIT)
    pipeline.put("a", "one", 500)
    pipeline.settle()
    pipeline.put("a", "two", 5)
    pipeline.settle()
    pipeline.world.app.execute(NO_LIMIT)
    done = pipeline.replay(force=True)
    assert (done.held, done.applied) == (2, 0)
    assert pipeline.targets() == {}
    pipeline.ask("retry")
    assert pipeline.targets() == {"a": ("TWO", 5)}
    pipeline.world.app.execute("INSERT INTO orgstream.paused_rule (rule_id, reason) VALUES (1, 'a test')")
    assert pipeline.replay(force=True).held == 2


def test_a_change_that_came_through_the_target_counts_as_the_later_one(pipeline: Pipeline) -> None:
    back = '[[rules]]\nname = "back"\nfrom = "us.account"\nto = "emea.account"\nkey = { ext_id = "ext_id" }\n'
    back += 'map = { name = "name", active = "true" }\n'
    pipeline.world.apply_rules(disabled() + back)
    pipeline.put("a", "one", 1)
    pipeline.settle()
    pipeline.world.app.execute("INSERT INTO us.account VALUES ('a', 'LATER')")
    pipeline.settle()
    pipeline.world.apply_rules(RULES + back)
    pipeline.replay(rules=("accounts",))
    pipeline.settle()
    assert pipeline.world.rows("SELECT name FROM us.account") == [("LATER",)]
    assert pipeline.world.rows("SELECT name FROM emea.account") == [("LATER",)]


def test_a_replay_whose_changes_are_gone_is_not_gone_on_with(pipeline: Pipeline) -> None:
    pipeline.put("a", "one", 1)
    pipeline.replayer(force=True)
    assert resumable(pipeline.world.app, pipeline.replay_id).state == "interrupted"
    pipeline.world.app.execute("UPDATE orgstream.change_range SET emptied_at = now() WHERE first = 1")
    pipeline.world.app.execute("SELECT orgstream.make_range(100)")
    with pytest.raises(ConfigurationError, match="changes from id 1 on, and those below"):
        resumable(pipeline.world.app, pipeline.replay_id)


def test_what_is_refused_is_told_and_holds_nothing_back(pipeline: Pipeline) -> None:
    pipeline.world.apply_rules(disabled())
    for number in range(5):
        pipeline.put(f"r{number}", "one", 500 if number == 2 else 1)
    pipeline.settle()
    pipeline.world.apply_rules()
    pipeline.world.app.execute(LIMIT)
    done = pipeline.replay()
    assert (done.applied, done.failed) == (4, 1)
    [failure] = failures(pipeline.world.app, done.id)
    assert (failure.change_id, failure.rule, failure.sqlstate) == (3, "accounts", "23514")
    assert pipeline.letters() == []
    pipeline.put("r2", "two", 2)
    pipeline.settle()
    assert pipeline.targets()["r2"] == ("TWO", 2)


def test_a_dry_run_tells_by_rule_and_changes_nothing(pipeline: Pipeline) -> None:
    for key in ("same", "changed", "gone", "lost"):
        pipeline.put(key, "one", 1)
    pipeline.world.app.execute("DELETE FROM emea.account WHERE ext_id = 'gone'")
    pipeline.settle()
    pipeline.world.app.execute("UPDATE us.account SET amount = 9 WHERE ext_id = 'changed'")
    pipeline.world.app.execute("DELETE FROM us.account WHERE ext_id = 'lost'")
    pipeline.world.app.execute("INSERT INTO us.account VALUES ('gone', 'STRAY')")
    before = pipeline.world.rows("SELECT * FROM us.account ORDER BY 1")
    found = foreseen(pipeline, force=True, rules=("accounts",))
    [rule] = found.rules
    assert (rule.rule, rule.table, found.selected, found.records) == ("accounts", "us.account", 5, 4)
    assert (rule.insert, rule.update, rule.delete, rule.same) == (1, 1, 1, 1)
    assert {(s.what, s.key["ext_id"]): s.columns for s in rule.samples}[("update", "changed")] == ["amount"]
    assert pipeline.world.rows("SELECT * FROM us.account ORDER BY 1") == before
    assert pipeline.world.rows("SELECT * FROM orgstream.replay") == []


def test_each_way_of_naming_changes(pipeline: Pipeline) -> None:
    nothing = disabled().replace('to = "us.contact"', 'to = "us.contact"\nwhen = "false"')
    pipeline.world.apply_rules(nothing)
    pipeline.put("a", "one", 1)
    pipeline.put("b", "one", 1)
    pipeline.world.app.execute("INSERT INTO emea.contact VALUES ('c', 'a', 'e@x')")
    pipeline.settle()
    pipeline.world.apply_rules()
    times = [
        time for (time,) in pipeline.world.rows("SELECT captured_at FROM orgstream.change_queue ORDER BY id")
    ]

    def count(**selection: Any) -> int:
        return foreseen(pipeline, **selection).selected

    assert count() == 3
    assert count(since=times[1]) == 2
    assert count(until=times[1]) == 1
    assert count(since=times[1], until=times[2]) == 1
    assert count(ids=(2, 77)) == 1
    assert count(rules=("contacts",)) == 1
    assert count(table="emea.account") == 2
    assert count(key='{"ext_id": "b"}') == 1
    assert count(key='{"ext_id": "b"}', rules=("contacts",)) == 0
    assert count(org="us") == 3
