"""A crash at any moment of a retry, an edit, a skip or a replay: it goes on from there, once in effect."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.letters import Edit, request
from pipeline.replay import job
from pipeline.replay.replayer import Replayer
from pipeline.replay.run import begin, live_rules
from pipeline.replay.selection import Selection
from tests.fixtures.orgs import RULES
from tests.integration.recovery.conftest import LIMIT, NO_LIMIT

if TYPE_CHECKING:
    import psycopg

    from tests.fixtures.fragile import Crashes
    from tests.integration.recovery.conftest import Pipeline

NOTHING = RULES.replace('when = "active"', 'when = "false"')
AUDIT = """
CREATE TABLE public.audit (n integer GENERATED ALWAYS AS IDENTITY, key text, what text, amount numeric);
CREATE FUNCTION public.audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.audit (key, what, amount) VALUES (NEW.ext_id, TG_OP, NEW.amount); RETURN NULL;
END $$;
CREATE TRIGGER audit AFTER INSERT OR UPDATE ON us.account FOR EACH ROW EXECUTE FUNCTION public.audit();
"""


def audit(pipeline: Pipeline) -> list[tuple[Any, ...]]:
    """Every effect on the target since it was asked last."""
    rows = pipeline.world.rows("SELECT key, what, amount::int FROM public.audit ORDER BY n")
    pipeline.world.app.execute("TRUNCATE public.audit")
    return rows


@pytest.mark.parametrize("force", [False, True], ids=["default", "force"])
def test_a_replay_goes_on_after_a_crash_at_any_statement(
    pipeline: Pipeline, crashes: Crashes, force: bool
) -> None:
    world = pipeline.world
    world.apply_rules(NOTHING)
    for number in range(3):
        pipeline.put("abc"[number], "one", number)
        pipeline.put("abc"[number], "two", number + 10)
    pipeline.settle()
    world.apply_rules()
    world.app.execute(AUDIT)
    rules = live_rules(world.app)

    def replay(connection: psycopg.Connection) -> None:
        """The command: it begins, or goes on with what it began."""
        open_ = [one for one in job.jobs(connection) if one.state != "finished"]
        id_ = open_[0].id if open_ else begin(connection, Selection(), force=force, progress=lambda _: None)
        first = job.job(connection, id_).first_change
        with job.owned(connection, id_):
            replayer = Replayer(connection, id_, first=first, force=force, partitions=4)
            while replayer.step(2, rules.by_id.keys(), rules):
                pass
            connection.execute("UPDATE orgstream.replay SET finished_at = now() WHERE id = %s", [id_])

    statement, died = 0, True
    while died:
        connection = crashes.connection()
        died = crashes.dies(statement, functools.partial(replay, connection))
        connection.close()
        if died:
            replay(world.app)
        assert audit(pipeline) == [("a", "INSERT", 10), ("b", "INSERT", 11), ("c", "INSERT", 12)], statement
        assert len(pipeline.ledger()) == 6
        world.app.execute("TRUNCATE orgstream.applied, orgstream.replay CASCADE")
        world.app.execute("DELETE FROM us.account")
        statement += 3 if force else 1
    assert statement > 30


@pytest.mark.parametrize("how", ["retry", "edit", "skip"])
def test_letters_are_settled_once_after_a_crash_at_any_statement(
    pipeline: Pipeline, crashes: Crashes, how: str
) -> None:
    world = pipeline.world
    world.app.execute(AUDIT)
    statement, died = 0, True
    _replace_worker(pipeline, crashes)
    while died:
        key = f"r{statement}"
        world.app.execute(LIMIT)
        pipeline.put(key, "one", 500)
        world.settle(pipeline.relay, pipeline.worker)
        pipeline.put(key, "one", 600)
        pipeline.put(key, "one", 7)
        world.settle(pipeline.relay, pipeline.worker)
        world.app.execute(NO_LIMIT)
        edit = Edit('{"amount": 500}', '{"amount": 5}') if how == "edit" else None
        assert request(world.app, pipeline.letters(), how, "a test", edit)
        world.clock.advance()
        died = crashes.dies(statement, pipeline.worker.step)
        if died:
            _replace_worker(pipeline, crashes)
        assert (pipeline.letters(), pipeline.held()) == ([], []), statement
        assert pipeline.targets()[key] == ("ONE", 7), statement
        # What waited may be applied with it, or after it, but each once and in its order.
        amounts = [amount for one, _, amount in audit(pipeline) if one == key]
        assert amounts == sorted(set(amounts), key=amounts.index)
        assert amounts[-1] == 7
        statement += 1
    events = world.rows(
        "SELECT letter_id, event, count(*) FROM orgstream.letter_audit GROUP BY 1, 2 HAVING count(*) > 1"
    )
    assert events == []
    assert statement > 8
    expected = {"retry": 3, "edit": 3, "skip": 2}[how]
    assert len(pipeline.ledger()) == expected * statement


def _replace_worker(pipeline: Pipeline, crashes: Crashes) -> None:
    """In place of a worker that is gone: another, which dies when it is told to, and goes on."""
    world = pipeline.world
    world.app.execute("DELETE FROM orgstream.process WHERE kind = 'worker'")
    world.app.execute(
        "UPDATE orgstream.lease SET holder = NULL, expires_at = '-infinity' WHERE stage <> 'relay'"
    )
    pipeline.worker = crashes.worker()
    pipeline.settle()
