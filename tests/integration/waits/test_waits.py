"""A change that waits for its parent: what releases it, in which order, and what becomes of it in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.hold import Holds
from stages.wait import Wait
from tests.integration.waits.conftest import LOOKUP

if TYPE_CHECKING:
    import pytest

    from stages.change import Change
    from stages.reject import Reject
    from tests.integration.waits.conftest import Family


def test_a_change_waits_for_its_parent_and_is_released_by_its_arrival(family: Family) -> None:
    family.apply(LOOKUP)
    family.child("c1", "p1")
    family.child("c2", None)
    family.settle()
    assert family.children() == [("c2", None, "e")]
    assert family.waiting() == [("c1", "us.account", '{"ext_id" : "p1"}', "sfid")]
    family.arrive("p1", "001")
    family.settle()
    assert family.children() == [("c1", "001", "e"), ("c2", None, "e")]
    assert family.waiting() == []
    assert family.world.rows("SELECT count(*) FROM orgstream.blocked_record") == [(0,)]
    assert family.world.rows("SELECT count(*) FROM orgstream.arrival") == [(0,)]


def test_later_changes_wait_behind_it_in_order(family: Family) -> None:
    family.apply(LOOKUP)
    family.child("c1", "p1", "first")
    family.child("c1", "p1", "second")
    family.settle()
    family.child("c1", "p1", "third")
    family.child("other", None, "x")
    family.settle()
    assert family.children() == [("other", None, "x")]
    assert family.world.rows("SELECT count(*) FROM orgstream.held_change") == [(2,)]
    family.arrive("p1", "001")
    family.settle()
    assert family.children() == [("c1", "001", "third"), ("other", None, "x")]
    assert family.world.rows("SELECT count(*), count(DISTINCT change_id) FROM orgstream.applied") == [(4, 4)]
    assert family.world.rows("SELECT count(*) FROM orgstream.held_change") == [(0,)]


def _two_changes(family: Family) -> None:
    family.apply(LOOKUP)
    family.child("c1", "p1", "first")
    family.child("c1", None, "second")
    family.settle()
    family.arrive("p1", "001")
    family.settle()


def test_a_later_change_that_needs_no_parent_waits_behind_one_that_does(family: Family) -> None:
    _two_changes(family)
    assert family.children() == [("c1", None, "second")]


def test_without_the_block_the_same_would_end_wrong(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Holds.begin

    def only_letters(holds: Holds, change: Change, why: Reject | Wait) -> None:
        if not isinstance(why, Wait):
            begin(holds, change, why)

    monkeypatch.setattr(Holds, "begin", only_letters)
    _two_changes(family)
    assert family.children() == [("c1", "001", "first")]


def test_a_parent_whose_id_salesforce_gives_later(family: Family) -> None:
    family.apply(LOOKUP)
    family.parent("p1")
    family.child("c1", "p1")
    family.settle()
    assert family.waiting() == [("c1", "us.account", '{"ext_id" : "p1"}', "sfid")]
    family.world.app.execute("UPDATE us.account SET sfid = '001' WHERE ext_id = 'p1'")
    family.settle()
    assert family.children() == [("c1", "001", "e")]


def test_after_the_timeout_it_is_a_dead_letter_that_names_the_parent(family: Family) -> None:
    family.apply(LOOKUP)
    family.child("c1", "p1")
    family.child("c1", "p1", "later")
    family.settle()
    family.world.app.execute("UPDATE orgstream.waiting SET due_at = clock_timestamp(), look_at = due_at")
    family.settle()
    assert family.waiting() == []
    ((cause, rule, key, message),) = family.letters()
    assert (cause, rule, key) == ("not-found", "children", "c1")
    assert "us.account where ext_id = 'p1'" in message
    family.arrive("p1", "001")
    family.world.app.execute("UPDATE orgstream.dead_letter SET requested = 'retry', request_reason = 'test'")
    family.settle()
    assert family.children() == [("c1", "001", "later")]
    assert family.letters() == []
