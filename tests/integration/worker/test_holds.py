"""A record that fails holds back its own later changes, visibly and in order; all others flow on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from pipeline.letters import Selection, request, resume, select
from pipeline.topology import STAGES
from tests.fixtures.orgs import RULES

if TYPE_CHECKING:
    from pipeline.relay import Relay
    from pipeline.worker import Worker
    from tests.fixtures.world import World

_LIMIT = "ALTER TABLE us.account ADD CONSTRAINT small CHECK (amount < 100)"
_NO_LIMIT = "ALTER TABLE us.account DROP CONSTRAINT small"
_OUTAGE = """
CREATE FUNCTION us.away() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN RAISE EXCEPTION 'the server goes down' USING ERRCODE = '57P01'; END $$;
CREATE TRIGGER away BEFORE INSERT ON us.copy FOR EACH ROW EXECUTE FUNCTION us.away();
"""


class Pipeline:
    """A world with its rules live, a relay and a worker."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.apply_rules()
        self.relay: Relay = world.relay()
        self.worker: Worker = world.worker()
        self.settle()

    def settle(self) -> None:
        """Carry everything, and do what was asked for letters."""
        self.world.settle(self.relay, self.worker)
        self.world.clock.advance()
        self.world.settle(self.relay, self.worker)

    def put(self, key: str, name: str, amount: int) -> None:
        """Write a record at the source."""
        self.world.app.execute(
            "INSERT INTO emea.account VALUES (%s, %s, 'here', %s, true)"
            " ON CONFLICT (ext_id) DO UPDATE SET name = excluded.name, amount = excluded.amount",
            [key, name, amount],
        )

    def targets(self) -> dict[str, tuple[str, int]]:
        """The records at the target: name and amount by key."""
        rows = self.world.rows("SELECT ext_id, name, amount::int FROM us.account")
        return {key: (name, amount) for key, name, amount in rows}

    def held(self) -> list[int]:
        """The changes that wait, in order."""
        return [id_ for (id_,) in self.world.rows("SELECT change_id FROM orgstream.held_change ORDER BY 1")]

    def ask(self, what: str) -> None:
        """Ask for all open letters to be settled, and let the worker do it."""
        request(self.world.app, select(self.world.app, Selection()), what, "a test")
        self.settle()


@pytest.fixture
def pipeline(world: World) -> Pipeline:
    return Pipeline(world)


def test_later_changes_of_a_record_that_failed_wait_while_all_others_flow_on(pipeline: Pipeline) -> None:
    pipeline.world.app.execute(_LIMIT)
    pipeline.put("bad", "one", 500)
    pipeline.put("good", "one", 5)
    pipeline.settle()
    pipeline.put("bad", "two", 6)
    pipeline.put("good", "two", 7)
    pipeline.settle()
    assert pipeline.targets() == {"good": ("TWO", 7)}
    [letter] = select(pipeline.world.app, Selection())
    assert (letter.cause, letter.sqlstate, letter.held) == ("refused", "23514", 1)


def test_a_retry_applies_the_failed_change_and_then_what_waited_behind_it(pipeline: Pipeline) -> None:
    pipeline.world.app.execute(_LIMIT)
    pipeline.put("bad", "one", 500)
    pipeline.settle()
    pipeline.put("bad", "two", 600)
    pipeline.settle()
    pipeline.world.app.execute(_NO_LIMIT)
    pipeline.ask("retry")
    assert pipeline.targets() == {"bad": ("TWO", 600)}
    assert pipeline.held() == []
    assert select(pipeline.world.app, Selection()) == []
    pipeline.put("bad", "three", 700)
    pipeline.settle()
    assert pipeline.targets() == {"bad": ("THREE", 700)}


def test_a_retry_that_fails_again_counts_an_attempt_and_holds_on(pipeline: Pipeline) -> None:
    pipeline.world.app.execute(_LIMIT)
    pipeline.put("bad", "one", 500)
    pipeline.settle()
    pipeline.put("bad", "two", 600)
    pipeline.settle()
    pipeline.ask("retry")
    [letter] = select(pipeline.world.app, Selection())
    assert (letter.attempts, letter.held, letter.requested) == (2, 1, None)
    assert pipeline.targets() == {}


def test_a_held_change_that_fails_when_it_is_released_becomes_the_letter_for_the_rest(
    pipeline: Pipeline,
) -> None:
    pipeline.world.app.execute("ALTER TABLE us.account ADD CONSTRAINT named CHECK (name <> 'NOBODY')")
    pipeline.put("bad", "nobody", 1)
    pipeline.settle()
    pipeline.world.app.execute("UPDATE emea.account SET city = 'there' WHERE ext_id = 'bad'")
    pipeline.settle()
    # Skipped, the first leaves an update of the city alone, which then has to insert the whole bad row.
    pipeline.ask("skip")
    [letter] = select(pipeline.world.app, Selection())
    assert (letter.change_id, letter.cause) == (2, "refused")
    pipeline.put("bad", "somebody", 2)
    pipeline.settle()
    assert pipeline.held() == [3]
    pipeline.ask("skip")
    assert pipeline.targets() == {"bad": ("SOMEBODY", 2)}
    assert pipeline.held() == []


def test_a_record_that_changes_its_key_while_it_is_held_waits_under_its_new_key_too(
    pipeline: Pipeline,
) -> None:
    pipeline.world.app.execute(_LIMIT)
    pipeline.put("old", "one", 500)
    pipeline.settle()
    pipeline.world.app.execute("UPDATE emea.account SET ext_id = 'new', amount = 600 WHERE ext_id = 'old'")
    pipeline.settle()
    pipeline.put("new", "two", 700)
    pipeline.settle()
    assert len(pipeline.held()) == 2
    pipeline.world.app.execute(_NO_LIMIT)
    pipeline.ask("retry")
    assert pipeline.targets() == {"new": ("TWO", 700)}


def test_another_worker_that_takes_the_partition_over_holds_the_record_too(pipeline: Pipeline) -> None:
    pipeline.world.app.execute(_LIMIT)
    pipeline.put("bad", "one", 500)
    pipeline.settle()
    for stage in STAGES:
        pipeline.world.lose_leases(stage)
    pipeline.world.app.execute("DELETE FROM orgstream.process WHERE kind = 'worker'")
    pipeline.worker = pipeline.world.worker()
    pipeline.put("bad", "two", 6)
    pipeline.settle()
    assert pipeline.targets() == {}
    assert len(pipeline.held()) == 1


def test_a_change_of_two_rules_fails_only_under_the_rule_that_is_refused(world: World) -> None:
    world.app.execute("CREATE TABLE us.copy (ext_id text PRIMARY KEY, name text)")
    world.apply_rules(
        RULES
        + '\n[[rules]]\nname = "copies"\nfrom = "emea.account"\nto = "us.copy"\n'
        + 'key = { ext_id = "ext_id" }\nmap = { name = "name" }\n'
    )
    world.app.execute(_LIMIT)
    world.app.execute("INSERT INTO emea.account VALUES ('bad', 'one', 'here', 500, true)")
    relay, worker = world.relay(), world.worker()
    world.settle(relay, worker)
    assert world.rows("SELECT name FROM us.copy") == [("one",)]
    assert [letter.rule for letter in select(world.app, Selection())] == ["accounts"]


def test_a_change_that_fails_under_one_rule_is_not_forgotten_under_another_that_has_to_wait(
    world: World,
) -> None:
    world.app.execute("CREATE TABLE us.copy (ext_id text PRIMARY KEY, name text)")
    world.apply_rules(
        RULES
        + '\n[[rules]]\nname = "copies"\nfrom = "emea.account"\nto = "us.copy"\n'
        + 'key = { ext_id = "ext_id" }\nmap = { name = "name" }\n'
    )
    world.app.execute(_LIMIT)
    world.app.execute(_OUTAGE)
    world.app.execute("INSERT INTO emea.account VALUES ('bad', 'one', 'here', 500, true)")
    relay, worker = world.relay(), world.worker()
    world.settle(relay)
    with pytest.raises(psycopg.errors.AdminShutdown):
        worker.step()
    assert select(world.app, Selection()) == []  # nothing of the change is done, or all of it
    world.app.execute("DROP TRIGGER away ON us.copy")
    world.settle(relay, worker)
    assert world.rows("SELECT name FROM us.copy") == [("one",)]
    assert [letter.rule for letter in select(world.app, Selection())] == ["accounts"]
    assert world.rows("SELECT change_id FROM orgstream.held_change") == []


def test_a_rule_that_fails_for_every_record_is_paused_and_its_changes_are_held_in_order(
    pipeline: Pipeline,
) -> None:
    pipeline.world.app.execute(_LIMIT)
    for number in range(130):
        pipeline.put(f"r{number}", "one", 500)
    pipeline.settle()
    letters = select(pipeline.world.app, Selection())
    assert len(letters) == 100
    assert len(pipeline.held()) == 30
    pipeline.put("r129", "two", 600)
    pipeline.world.app.execute(_NO_LIMIT)
    assert resume(pipeline.world.app, "accounts")
    pipeline.put("r129", "three", 700)
    pipeline.settle()
    assert pipeline.targets()["r129"] == ("THREE", 700)
    assert len(pipeline.targets()) == 30
    pipeline.ask("retry")
    assert len(pipeline.targets()) == 130
    assert pipeline.held() == []
