"""Foreign keys and circles: a parent that is not there is waited for, and circles come to an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.integration.waits.conftest import Family

FOREIGN: Final = "ALTER TABLE us.child ADD CONSTRAINT to_parent FOREIGN KEY (parent) REFERENCES us.account"
SELF: Final = "ALTER TABLE us.child ADD CONSTRAINT to_self FOREIGN KEY (parent) REFERENCES us.child"
COPIED: Final = 'parent = "parent"'
SELF_LOOKUP: Final = (
    'parent = { lookup = "us.child", where = { ext_id = "parent" }, take = "owner" }\nowner = "owner"'
)


def test_a_violated_foreign_key_waits_for_the_parent(family: Family) -> None:
    family.world.app.execute(FOREIGN)
    family.apply(COPIED)
    for number in range(5):
        family.child(f"c{number}", "p1" if number % 2 else None)
    family.settle()
    assert [row[0] for row in family.children()] == ["c0", "c2", "c4"]
    assert family.waiting() == [(name, "us.account", '{"ext_id" : "p1"}', None) for name in ("c1", "c3")]
    family.parent("p1")
    family.settle()
    assert len(family.children()) == 5
    assert (family.waiting(), family.letters()) == ([], [])


def test_parent_and_child_in_one_batch_need_no_wait(family: Family) -> None:
    family.world.app.execute(FOREIGN)
    family.apply(COPIED)
    with family.world.app.transaction():
        family.child("c1", "p1")
        family.parent("p1")
    numbers = family.world.rows("SELECT last_value FROM orgstream.dead_letter_id_seq")
    family.settle()
    assert family.children() == [("c1", "p1", "e")]
    assert family.world.rows("SELECT last_value FROM orgstream.dead_letter_id_seq") == numbers


def test_another_constraint_is_a_dead_letter(family: Family) -> None:
    family.world.app.execute("CREATE TABLE us.other (ext_id text PRIMARY KEY)")
    family.world.app.execute(FOREIGN.replace("us.account", "us.other"))
    family.apply(COPIED)
    family.child("c1", "p1")
    family.settle()
    assert [(cause, key) for cause, _, key, _ in family.letters()] == [("refused", "c1")]
    assert family.waiting() == []


def test_records_that_refer_to_each_other_are_written_and_completed(family: Family) -> None:
    family.world.app.execute(SELF)
    family.apply(COPIED)
    family.child("a", "b")
    family.settle()
    assert family.children() == [("a", None, "e")]  # without the reference
    assert [row[:2] for row in family.waiting()] == [("a", "us.child")]
    family.child("b", "a")
    family.settle()
    assert family.children() == [("a", "b", "e"), ("b", "a", "e")]
    assert (family.waiting(), family.letters()) == ([], [])


def test_a_circle_of_lookups_ends_when_each_has_its_id(family: Family) -> None:
    family.apply(SELF_LOOKUP)
    family.child("a", "b")
    family.child("b", "a")
    family.settle()
    assert family.children() == [("a", None, "e"), ("b", None, "e")]
    family.world.app.execute("UPDATE us.child SET owner = 'id of ' || ext_id, email = 'edited'")
    family.settle()
    assert family.children() == [("a", "id of b", "edited"), ("b", "id of a", "edited")]
    assert (family.waiting(), family.letters()) == ([], [])
    assert family.world.rows("SELECT count(*), count(DISTINCT change_id) FROM orgstream.applied") == [(2, 2)]


def test_a_chain_in_one_batch_needs_no_wait(family: Family) -> None:
    family.world.app.execute(SELF)
    family.apply(COPIED)
    with family.world.app.transaction():
        for number in range(10):
            family.child(f"c{number}", f"c{number + 1}")
        family.child("c10", None)
    family.settle()
    assert [(name, parent) for name, parent, _ in family.children()] == sorted(
        [(f"c{number}", f"c{number + 1}") for number in range(10)] + [("c10", None)]
    )
    assert (family.waiting(), family.letters()) == ([], [])
