"""Replays by force: what was applied takes effect again by today's rules, and what stands stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fixtures.orgs import RULES

if TYPE_CHECKING:
    from tests.integration.recovery.conftest import Pipeline


def test_by_force_a_record_gets_its_newest_state_by_todays_rules(pipeline: Pipeline) -> None:
    pipeline.put("a", "one", 1)
    pipeline.put("a", "two", 2)
    pipeline.put("b", "gone", 2)
    pipeline.world.app.execute("DELETE FROM emea.account WHERE ext_id = 'b'")
    pipeline.settle()
    pipeline.world.app.execute("UPDATE us.account SET name = 'WRONG', amount = 99")
    pipeline.world.app.execute("INSERT INTO us.account VALUES ('b', 'STRAY')")
    pipeline.world.apply_rules(RULES.replace("upper(name)", "upper(name) || '!'"))
    assert pipeline.replay().selected == 0
    ledger = pipeline.ledger()
    done = pipeline.replay(force=True, ids=(1, 3))
    assert pipeline.targets() == {"a": ("TWO!", 2)}
    assert (done.selected, done.records, done.done) == (2, 2, 2)
    assert pipeline.ledger() == ledger
    versions = pipeline.world.rows("SELECT change_id, rule_version FROM orgstream.applied ORDER BY 1")
    assert versions == [(1, 2), (2, 2), (3, 2), (4, 2)]


def test_by_force_no_row_that_stands_is_made_anew(pipeline: Pipeline) -> None:
    app = pipeline.world.app
    pipeline.put("a", "one", 1)
    pipeline.put("b", "one", 1)
    pipeline.settle()
    app.execute("UPDATE emea.account SET ext_id = 'c' WHERE ext_id = 'a'")
    app.execute("DELETE FROM emea.account WHERE ext_id = 'b'")
    pipeline.settle()
    pipeline.put("a", "two", 2)
    pipeline.put("b", "two", 2)
    pipeline.settle()
    rows = pipeline.world.rows("SELECT ctid::text, * FROM us.account ORDER BY ext_id")
    done = pipeline.replay(force=True)
    assert (done.failed, done.applied) == (0, 6)
    assert pipeline.world.rows("SELECT ctid::text, * FROM us.account ORDER BY ext_id") == rows
    assert pipeline.targets() == {"a": ("TWO", 2), "b": ("TWO", 2), "c": ("ONE", 1)}


def test_what_a_version_of_a_rule_has_applied(pipeline: Pipeline) -> None:
    pipeline.put("a", "one", 1)
    pipeline.settle()
    pipeline.world.apply_rules(RULES.replace("upper(name)", "lower(name)"))
    pipeline.put("b", "ONE", 1)
    pipeline.settle()
    assert pipeline.replay(force=True, rules=("accounts",), rule_version=1).selected == 1
    assert pipeline.targets() == {"a": ("one", 1), "b": ("one", 1)}
