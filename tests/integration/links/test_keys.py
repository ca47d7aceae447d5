"""Changes of key that nobody captured: the row is renamed, and there is one of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.need import Need
from stages.rules.compile import compile_rules
from tests.integration.links.conftest import RULE

if TYPE_CHECKING:
    import pytest

    from tests.integration.links.conftest import People

MISSED = "UPDATE emea.person SET ext_id = 'b', city = 'Oslo' WHERE id = 1"


def moved(people: People) -> None:
    """A person was replicated under the key a, and has b since, which nobody captured."""
    people.put(1, "a")
    people.settle()
    people.world.app.execute("UPDATE us.person SET note = 'kept'")
    people.unseen(MISSED)


def test_a_missed_change_of_key_renames_the_row_with_the_next_edit(people: People) -> None:
    moved(people)
    people.world.app.execute("UPDATE emea.person SET name = 'Bea'")
    people.settle()
    assert people.there() == {"b": ("Bea", "Oslo")}
    assert people.world.rows("SELECT note FROM us.person") == [("kept",)]
    assert people.links() == [('{"id":1}', '{"ext_id":"b"}')]


def test_without_links_the_same_makes_a_second_row(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.rules.compile.linked_rules", lambda _: {})
    moved(people)
    people.world.app.execute("UPDATE emea.person SET name = 'Bea'")
    people.settle()
    assert people.there().keys() == {"a", "b"}
    assert people.links() == []


def test_a_captured_change_of_key_takes_the_link_along(people: People) -> None:
    people.put(1, "a")
    people.settle()
    for key in ("b", "c", "d"):
        people.put(1, key, name=key)
    people.settle()
    assert people.there() == {"d": ("d", "Rome")}
    assert people.links() == [('{"id":1}', '{"ext_id":"d"}')]


def test_a_captured_change_of_key_after_a_missed_one_renames_the_row_that_is_there(people: People) -> None:
    moved(people)
    people.put(1, "c", "Cid")
    people.settle()
    assert people.there() == {"c": ("Cid", "Rome")}


def test_a_delete_after_a_missed_change_of_key_takes_the_row_that_is_there(people: People) -> None:
    people.put(2, "x", "Xan")
    moved(people)
    people.world.app.execute("DELETE FROM emea.person WHERE id = 1")
    people.settle()
    assert people.there() == {"x": ("Xan", "Rome")}
    # It stays as long as older changes may come again.
    assert people.links() == [('{"id":1}', None), ('{"id":2}', '{"ext_id":"x"}')]


def test_a_delete_of_a_record_that_lost_its_key_takes_its_row(people: People) -> None:
    moved(people)
    people.unseen("UPDATE emea.person SET ext_id = NULL")
    people.world.app.execute("DELETE FROM emea.person")
    people.settle()
    assert (people.there(), people.letters()) == ({}, [])


def test_a_delete_without_key_or_link_is_a_letter(people: People) -> None:
    people.put(1, "a")
    people.settle()
    people.unseen("UPDATE emea.person SET ext_id = NULL")
    people.unseen("DELETE FROM orgstream.record_link")
    people.world.app.execute("DELETE FROM emea.person")
    people.settle()
    assert (list(people.there()), people.letters()) == (["a"], [("no-key", None)])


def test_a_link_ends_with_its_record(people: People) -> None:
    people.put(1, "a")
    people.settle()
    assert len(people.links()) == 1
    people.world.app.execute("DELETE FROM emea.person")
    people.settle()
    assert (people.there(), people.links()) == ({}, [])
    people.put(1, "z")
    people.settle()
    assert people.links() == [('{"id":1}', '{"ext_id":"z"}')]


def test_a_row_that_is_there_already_is_adopted(people: People) -> None:
    people.world.app.execute("INSERT INTO us.person VALUES ('a', 'old', 'Bonn', 'mine')")
    moved(people)
    people.world.app.execute("UPDATE emea.person SET name = 'Bea'")
    people.settle()
    assert people.there() == {"b": ("Bea", "Oslo")}
    assert people.world.rows("SELECT note FROM us.person") == [("kept",)]


def test_a_key_that_another_row_has_is_refused_as_a_captured_change_would_be(people: People) -> None:
    moved(people)
    people.world.app.execute("INSERT INTO us.person VALUES ('b', 'other', 'Bonn')")
    people.world.app.execute("UPDATE emea.person SET name = 'Bea'")
    people.settle()
    assert people.there() == {"a": ("Ann", "Rome"), "b": ("other", "Bonn")}
    assert people.letters() == [("refused", "23505")]
    assert people.links() == [('{"id":1}', '{"ext_id":"a"}')]
    people.put(2, "k")
    people.settle()
    people.world.app.execute("INSERT INTO us.person VALUES ('l', 'other', 'Bonn')")
    people.put(2, "l")  # captured
    people.settle()
    assert people.letters() == [("refused", "23505"), ("refused", "23505")]


def test_a_key_that_another_record_took_over_is_its_own(people: People) -> None:
    """The row is then that record's, and the one before makes another."""
    moved(people)
    people.put(2, "a", "Zoe", "Bern")
    people.settle()
    assert people.there() == {"a": ("Zoe", "Bern")}
    people.put(1, "b", "Bea", "Oslo")
    people.settle()
    assert people.there() == {"a": ("Zoe", "Bern"), "b": ("Bea", "Oslo")}
    assert people.links() == [('{"id":1}', '{"ext_id":"b"}'), ('{"id":2}', '{"ext_id":"a"}')]


def test_a_record_that_left_and_comes_back_under_another_key_has_one_row(people: People) -> None:
    people.world.apply_rules(RULE.replace("key =", "when = \"city <> 'Rome'\"\nkey ="))
    people.put(1, "a", city="Oslo")
    people.settle()
    people.put(1, "a", city="Rome")
    people.put(1, "b", city="Rome")
    people.put(1, "b", city="Bern")
    people.settle()
    assert people.there() == {"b": ("Ann", "Bern")}


def test_tables_whose_key_says_it_all_ask_nothing(people: People) -> None:
    assert compile_rules(people.world.apply_rules()).needs == {Need.LINKS}
    people.world.app.execute("ALTER TABLE emea.person DROP CONSTRAINT person_pkey, ADD PRIMARY KEY (ext_id)")
    assert compile_rules(people.world.apply_rules()).needs == frozenset()
