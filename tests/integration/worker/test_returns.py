"""A record that comes back cancels its held delete, and what waits behind one keeps its order."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.integration.worker.mass import Mass


def test_records_that_leave_a_rule_in_a_mass_wait_too(mass: Mass) -> None:
    mass.begin()
    mass.run("UPDATE emea.account SET active = false WHERE amount <= 20")
    assert mass.targets() == 30
    assert [letter.held for letter in mass.letters()] == [20]
    mass.run("UPDATE emea.account SET active = true")
    assert mass.letters() == []
    assert mass.targets() == 30


def test_a_record_that_comes_back_cancels_its_delete(mass: Mass) -> None:
    mass.begin()
    mass.run("CREATE TABLE public.kept AS SELECT * FROM emea.account; DELETE FROM emea.account")
    mass.world.app.execute("UPDATE us.account SET city = 'mine' WHERE ext_id IN ('k1', 'k2')")
    mass.world.app.execute("UPDATE public.kept SET city = 'Oslo' WHERE ext_id = 'k2'")
    mass.run("INSERT INTO emea.account SELECT * FROM public.kept WHERE amount <= 20")
    assert mass.targets() == 30
    # An unchanged row writes nothing, a changed one what changed.
    assert mass.in_target("SELECT city FROM us.account WHERE ext_id = 'k1'") == "mine"
    assert mass.in_target("SELECT city FROM us.account WHERE ext_id = 'k2'") == "Oslo"
    assert [letter.held for letter in mass.letters()] == [10]
    assert mass.in_target("SELECT count(*) FROM orgstream.blocked_record") == 10
    mass.run("INSERT INTO emea.account SELECT * FROM public.kept WHERE amount > 20")
    assert mass.letters() == []
    assert mass.in_target("SELECT resolution FROM orgstream.dead_letter") == (
        "cancelled: every record came back"
    )
    # Each change has its place in the ledger: 30 inserts, 30 deletes, 30 returns.
    assert mass.in_target("SELECT count(*) FROM orgstream.applied") == 90
    mass.run("UPDATE emea.account SET name = 'later'")
    assert mass.world.rows("SELECT DISTINCT name FROM us.account") == [("LATER",)]


def test_a_table_that_is_emptied_and_filled_again_at_once(mass: Mass) -> None:
    mass.begin()
    mass.run(
        "CREATE TABLE public.kept AS SELECT * FROM emea.account; DELETE FROM emea.account;"
        " INSERT INTO emea.account SELECT * FROM public.kept"
    )
    assert mass.targets() == 30
    assert mass.letters() == []
    assert mass.in_target("SELECT count(*) FROM orgstream.applied") == 90


def test_what_waits_behind_a_held_delete_keeps_its_order(mass: Mass) -> None:
    mass.begin()
    mass.run("DELETE FROM emea.account")
    mass.run("ALTER TABLE us.account ADD CONSTRAINT named CHECK (name <> 'BAD')")
    mass.run("INSERT INTO emea.account VALUES ('k1', 'new', 'Rome', 1, true)")
    mass.run("UPDATE emea.account SET name = 'newer'; DELETE FROM emea.account")
    mass.run("INSERT INTO emea.account VALUES ('k1', 'last', 'Rome', 1, true)")
    assert mass.in_target("SELECT name FROM us.account WHERE ext_id = 'k1'") == "LAST"
    mass.ask("retry")
    assert mass.targets() == 1
    assert mass.letters() == []


def test_a_change_of_key_while_the_delete_waits(mass: Mass) -> None:
    mass.begin()
    mass.run("UPDATE emea.account SET ext_id = 'm' || ext_id WHERE amount <= 2; DELETE FROM emea.account")
    mass.run("INSERT INTO emea.account VALUES ('new', 'new', 'Rome', 1, true)")
    mass.run("UPDATE emea.account SET ext_id = 'mk1'")
    assert mass.in_target("SELECT name FROM us.account WHERE ext_id = 'mk1'") == "N1"
    mass.ask("retry")
    assert mass.world.rows("SELECT ext_id, name FROM us.account") == [("mk1", "NEW")]
    assert mass.world.rows("SELECT * FROM orgstream.blocked_record") == []


def test_a_delete_that_is_refused_once_approved_has_a_letter_of_its_own(mass: Mass) -> None:
    mass.begin()
    mass.run("CREATE TABLE us.child (account text REFERENCES us.account); INSERT INTO us.child VALUES ('k7')")
    mass.run("DELETE FROM emea.account")
    mass.ask("retry")
    assert mass.world.rows("SELECT ext_id FROM us.account") == [("k7",)]
    [letter] = mass.letters()
    assert (letter.cause, letter.sqlstate, letter.key) == ("refused", "23503", '{"ext_id" : "k7"}')
    mass.run("INSERT INTO emea.account VALUES ('k7', 'new', 'Rome', 1, true)")
    assert [letter.held for letter in mass.letters()] == [1]
    mass.ask("skip")
    assert mass.in_target("SELECT name FROM us.account") == "NEW"
