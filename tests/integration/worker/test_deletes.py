"""Deletes in a mass wait for a person, and all else goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fixtures.orgs import RULES
from tests.integration.worker.mass import NAME, Mass

if TYPE_CHECKING:
    from tests.fixtures.world import World


def test_a_mass_delete_waits_behind_one_letter_and_all_else_goes_on(mass: Mass) -> None:
    mass.begin()
    mass.world.app.execute("DELETE FROM emea.account WHERE amount <= 20")
    mass.run("UPDATE emea.account SET city = 'Oslo' WHERE amount > 20")
    assert mass.targets() == 30
    assert mass.in_target("SELECT count(*) FROM us.account WHERE city = 'Oslo'") == 10
    [letter] = mass.letters()
    assert (letter.cause, letter.rule, letter.held) == ("mass-delete", "accounts", 20)
    assert "20 deletes of emea.account, and more than 5 within a minute (count = 5)" in letter.message


def test_approved_the_deletes_take_effect(mass: Mass) -> None:
    mass.begin()
    mass.run("DELETE FROM emea.account WHERE amount <= 20")
    mass.ask("retry")
    assert mass.targets() == 10
    assert mass.letters() == []
    assert mass.world.rows("SELECT * FROM orgstream.blocked_record") == []
    mass.run("INSERT INTO emea.account VALUES ('k1', 'again', 'Rome', 1, true)")
    assert mass.in_target("SELECT name FROM us.account WHERE ext_id = 'k1'") == "AGAIN"


def test_refused_the_target_keeps_its_records_and_what_came_later_is_applied(mass: Mass) -> None:
    mass.begin()
    mass.run("DELETE FROM emea.account WHERE amount <= 20")
    mass.ask("skip")
    assert mass.targets() == 30
    assert mass.letters() == []
    mass.run("INSERT INTO emea.account VALUES ('k1', 'again', 'Rome', 1, true)")
    assert mass.in_target("SELECT name FROM us.account WHERE ext_id = 'k1'") == "AGAIN"


def test_as_many_as_the_limit_go_through(mass: Mass) -> None:
    mass.begin()
    mass.run("DELETE FROM emea.account WHERE amount <= 5")
    assert mass.targets() == 25
    assert mass.letters() == []
    mass.run("DELETE FROM emea.account WHERE amount = 6")
    assert mass.targets() == 25
    assert [letter.held for letter in mass.letters()] == [1]


def test_deletes_that_are_more_than_a_minute_apart_are_no_mass(mass: Mass) -> None:
    mass.begin()
    for number in range(3):
        mass.world.app.execute("DELETE FROM emea.account WHERE amount <= %s", [5 * number + 5])
        mass.world.app.execute(
            "UPDATE orgstream.change_queue SET captured_at = captured_at - %s * interval '61 seconds'"
            " WHERE operation = 'DELETE' AND captured_at > clock_timestamp() - interval '30 seconds'",
            [3 - number],
        )
    mass.settle()
    assert mass.targets() == 15
    assert mass.letters() == []


@pytest.mark.parametrize(("limit", "goes"), [("share = 0.4", 12), ("count = 100, share = 0.1", 3)])
def test_a_share_of_the_targets_records_is_a_limit_too(mass: Mass, limit: str, goes: int) -> None:
    mass.begin(limit)
    mass.run("DELETE FROM emea.account WHERE amount <= %s", goes + 1)
    assert mass.targets() == 30
    mass.ask("skip")
    mass.let_hours_pass()
    mass.run("DELETE FROM emea.account WHERE amount > %s", 30 - goes)
    assert mass.targets() == 30 - goes


def test_without_a_limit_of_its_own_a_few_deletes_of_a_small_table_pass(world: World) -> None:
    mass = Mass(world)
    mass.begin("share = 1")
    world.apply_rules()
    mass.run("DELETE FROM emea.account WHERE amount <= 20")
    assert mass.targets() == 10
    mass.run("DELETE FROM emea.account WHERE amount = 21")
    assert mass.targets() == 10
    assert [letter.held for letter in mass.letters()] == [1]


def test_only_deletes_that_the_rule_carries_are_counted(mass: Mass) -> None:
    mass.begin()
    mass.run("INSERT INTO emea.account SELECT 'x' || n, 'x', 'x', 99, false FROM generate_series(1, 50) n")
    mass.run("DELETE FROM emea.account WHERE NOT active OR amount <= 3")
    assert mass.targets() == 27
    assert mass.letters() == []


def test_the_count_holds_over_workers_and_restarts(world: World) -> None:
    mass = Mass(world)
    mass.begin()
    other = world.worker()
    world.settle(mass.relay, mass.worker, other)
    world.clock.advance()
    world.settle(mass.relay, mass.worker, other)
    world.app.execute("DELETE FROM emea.account WHERE amount <= 4")
    world.settle(mass.relay, mass.worker, other)
    assert mass.targets() == 26
    for stage in ("filter", "match", "transform", "apply"):
        world.lose_leases(stage)
    world.app.execute("DELETE FROM orgstream.process WHERE kind = 'worker'")
    mass.worker = world.worker()
    mass.settle()
    mass.run("DELETE FROM emea.account WHERE amount <= 20")
    assert mass.targets() == 26
    assert [letter.held for letter in mass.letters()] == [16]


def test_a_mass_of_one_table_is_one_burst_however_many_workers_find_it(world: World) -> None:
    mass = Mass(world)
    mass.begin(records=200)
    workers = [mass.worker, world.worker(batch=10), world.worker(batch=10)]
    for _ in range(3):
        world.settle(mass.relay, *workers)
        world.clock.advance()
    world.app.execute("DELETE FROM emea.account")
    world.settle(mass.relay, *workers)
    assert [letter.held for letter in mass.letters()] == [200]
    assert mass.targets() == 200


def test_a_truncated_table_sends_no_deletes_and_is_recorded(mass: Mass) -> None:
    mass.begin()
    mass.run("TRUNCATE emea.account")
    assert mass.targets() == 30
    assert mass.letters() == []
    assert (
        mass.in_target("SELECT table_name FROM orgstream.change_queue WHERE operation = 'TRUNCATE'")
        == "account"
    )


def test_deletes_that_were_approved_do_not_count_again(mass: Mass) -> None:
    mass.begin()
    mass.run("DELETE FROM emea.account WHERE amount <= 20")
    mass.ask("retry")
    mass.run("DELETE FROM emea.account WHERE amount = 30")
    assert mass.targets() == 9
    assert mass.letters() == []


def test_a_batch_without_deletes_asks_nothing(mass: Mass) -> None:
    mass.begin()
    mass.world.app.execute("ALTER TABLE orgstream.delete_tally RENAME TO away")
    mass.run("UPDATE emea.account SET name = 'other'")
    assert mass.world.rows("SELECT DISTINCT name FROM us.account") == [("OTHER",)]


def test_a_rule_without_a_limit_counts_nothing(mass: Mass) -> None:
    mass.begin(limit="count = 5")
    mass.world.apply_rules(RULES.replace(NAME, f"{NAME}\nmax_deletes = false"))
    mass.world.app.execute("ALTER TABLE orgstream.delete_tally RENAME TO away")
    mass.run("DELETE FROM emea.account")
    assert (mass.targets(), mass.letters()) == (0, [])
