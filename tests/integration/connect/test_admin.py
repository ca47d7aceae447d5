"""What the dashboard can do: pause and resume, reload, resync; and a restart beside tables that are full."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from pipeline.connect import Connection, NotSettled, SalesforceOrg
from tests.integration.connect.world import MAPPINGS

if TYPE_CHECKING:
    from tests.integration.connect.world import World


def fill(world: World, count: int) -> None:
    for number in range(count):
        world.org.create("Account", {"Name": f"n{number}", "Ext_Id__c": f"x{number}"})
    world.heroku.settle()


def test_while_paused_changes_pile_up_on_both_sides_and_then_catch_up(world: World) -> None:
    world.insert_account()
    world.heroku.settle()
    world.heroku.pause()
    assert world.heroku.state == "PAUSED"
    world.rename("Bob")
    world.org.create("Account", {"Name": "There"})
    assert (world.heroku.write(), world.heroku.read()) == (0, 0)
    assert world.heroku.step() is True
    assert world.log() == [("UPDATE", "NEW")]
    with pytest.raises(NotSettled, match="resume"):
        world.heroku.settle()
    world.heroku.resume()
    assert world.heroku.settle() == 1
    assert {row["name"] for row in world.rows("SELECT name FROM emea.account")} == {"Bob", "There"}
    assert {row["name"] for row in world.org.query("Account")} == {"Bob", "There"}


def test_a_pause_finishes_what_is_in_hand(world: World) -> None:
    world.insert_account()
    world.heroku.send()
    world.org.create("Account", {"Name": "There"})
    world.heroku.query()
    world.heroku.pause()
    assert world.log() == []
    assert len(world.rows("SELECT FROM emea.account WHERE sfid IS NOT NULL")) == 2


@pytest.mark.parametrize("truncate", [True, False])
def test_a_reload_gives_every_row_a_new_id_and_nothing_else(world: World, truncate: bool) -> None:
    fill(world, 3)
    before = world.rows("SELECT * FROM emea.account ORDER BY sfid")
    assert world.heroku.reload("Account", truncate=truncate) == 3
    after = world.rows("SELECT * FROM emea.account ORDER BY sfid")
    assert {row["id"] for row in before}.isdisjoint(row["id"] for row in after)
    assert [row | {"id": 0} for row in after] == [row | {"id": 0} for row in before]
    assert world.log() == []
    assert world.heroku.quiet() is True


def test_a_reload_may_give_old_ids_to_other_rows(world: World) -> None:
    fill(world, 3)
    gone = world.account("x0")
    world.org.delete("Account", gone["sfid"])
    world.heroku.reload("Account", restart_ids=True)
    assert world.account("x1")["id"] == gone["id"] == 1


def test_an_answer_that_comes_after_a_reload_does_not_reach_another_row(world: World) -> None:
    fill(world, 2)
    refused = world.account("x1")
    world.org.validate("Account", lambda *_: "no")
    world.rename("Bad", "x1")
    world.heroku.send()
    for row in world.org.query("Account"):
        world.org.delete("Account", str(row["sfid"]))
    world.heroku.reload("Account", restart_ids=True)
    world.insert_account("y0")
    world.insert_account("y1")
    assert world.account("y1")["id"] == refused["id"]
    world.heroku.record()
    assert (world.account("y1")["_hc_lastop"], world.account("y1")["sfid"]) == ("PENDING", None)


def test_rows_that_never_reached_salesforce_are_lost_from_a_reloaded_table_until_they_are_sent(
    world: World,
) -> None:
    world.insert_account()
    world.heroku.reload("Account")
    assert world.rows("SELECT FROM emea.account") == []
    world.heroku.settle()
    assert world.account()["name"] == "Ann"


def test_a_resync_brings_every_record_again_in_place(world: World) -> None:
    fill(world, 3)
    ids = world.rows("SELECT id, sfid FROM emea.account ORDER BY id")
    world.app.execute("SET session_replication_role = replica")
    world.app.execute("UPDATE emea.account SET name = 'drifted'")
    world.heroku.resync("account")
    assert world.heroku.read() == 3
    assert world.rows("SELECT id, sfid FROM emea.account ORDER BY id") == ids
    assert world.account("x1")["name"] == "n1"


def test_an_object_that_is_not_mapped_is_named(world: World) -> None:
    with pytest.raises(ValueError, match=r"Lead is not mapped in emea; mapped are: Account, Contact"):
        world.heroku.reload("Lead")


def test_a_new_org_takes_over_what_the_tables_hold(world: World) -> None:
    fill(world, 2)
    world.org.create("Contact", {"LastName": "Child", "account__ext_id__c": "x1"})
    world.heroku.settle()
    world.rename("Written while away", "x1")
    fresh = SalesforceOrg("emea", clock=world.clock, rng=random.Random(1))
    restarted = Connection(world.url, "emea", MAPPINGS, org=fresh, clock=world.clock, rng=random.Random(2))
    with restarted:
        restarted.install()
        assert restarted.adopt() == 3
        assert restarted.adopt() == 0
        assert restarted.read() == 0
        restarted.settle()
    (renamed,) = fresh.query("Account", lambda row: row["ext_id__c"] == "x1")
    assert renamed["name"] == "Written while away"
    (child,) = fresh.query("Contact")
    assert child["accountid"] == renamed["sfid"] == world.account("x1")["sfid"]
    assert fresh.create("Account", {"Name": "New"}) not in {
        row["sfid"] for row in world.rows("SELECT sfid FROM emea.account")
    }


def test_the_archive_is_purged(world: World) -> None:
    world.insert_account("old")
    world.heroku.settle()
    world.clock.advance(30 * 86_400)
    world.insert_account("young")
    world.heroku.settle()
    world.clock.advance(2 * 86_400)
    world.heroku.write()
    assert len(world.archive()) == 1
