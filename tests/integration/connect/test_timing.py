"""What is due when, by the clock and the delays."""

from __future__ import annotations

import contextlib
import random
import threading
from typing import TYPE_CHECKING

import pytest

from pipeline.connect import run
from tests.integration.connect.world import MAPPINGS, World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def delayed(database_url: str) -> Iterator[World]:
    world = World(database_url, write_delay=10, poll_seconds=120, echo_delay=30)
    with contextlib.closing(world):
        world.heroku.step()  # the first poll, of nothing
        yield world


def status(world: World) -> str:
    return str(world.account()["_hc_lastop"])


def test_a_write_waits_for_its_delay_and_its_echo_for_the_next_poll(delayed: World) -> None:
    delayed.insert_account()
    assert delayed.heroku.step() is True
    assert status(delayed) == "PENDING"
    delayed.clock.advance(9)
    delayed.heroku.step()
    assert status(delayed) == "PENDING"
    delayed.clock.advance(1)
    delayed.heroku.step()
    assert status(delayed) == "INSERTED"
    delayed.clock.advance(110)
    delayed.heroku.step()  # polls, and holds what it found
    assert status(delayed) == "INSERTED"
    delayed.clock.advance(29)
    assert delayed.heroku.step() is True
    assert status(delayed) == "INSERTED"
    delayed.clock.advance(1)
    assert delayed.heroku.step() is False
    assert status(delayed) == "SYNCED"


def test_a_late_delivery_brings_what_salesforce_had_at_the_poll(delayed: World) -> None:
    sfid = delayed.org.create("Account", {"Name": "v1", "Ext_Id__c": "x"})
    delayed.clock.advance(120)
    delayed.heroku.step()
    delayed.org.update("Account", sfid, {"Name": "v2"})
    delayed.clock.advance(30)
    assert delayed.heroku.step() is True
    assert delayed.account()["name"] == "v1"


def test_the_same_seeds_and_calls_give_the_same_rows(database_url: str) -> None:
    seen = []
    for _ in range(2):
        with contextlib.closing(World(database_url, write_delay=7, poll_seconds=60, jitter=0.5)) as world:
            for number in range(5):
                world.insert_account(f"x{number}")
                world.org.create("Note__c", {"Name": f"n{number}"})
                world.clock.advance(23)
                world.heroku.step()
            accounts = world.rows("SELECT * FROM emea.account ORDER BY id")
            seen.append((accounts, world.rows("SELECT * FROM emea.note__c ORDER BY id")))
            world.app.execute("DROP SCHEMA emea CASCADE")
    assert seen[0] == seen[1]
    assert {row["_hc_lastop"] for row in seen[0][0]} > {"PENDING"}


def test_the_loop_runs_until_it_is_told_to_stop_and_outlives_a_lost_session(world: World) -> None:
    world.insert_account()
    stop = threading.Event()
    options = {"org": world.org, "clock": world.clock, "rng": random.Random(3), "stop": stop}
    loop = threading.Thread(
        target=run,
        args=(world.url, "emea", MAPPINGS),
        kwargs=options | {"write_delay": 0, "poll_seconds": 0},
    )
    with world.watch_accounts() as told:
        loop.start()
        try:
            assert "Ann SYNCED" in told
            world.app.execute(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE application_name = 'heroku connect emea' AND datname = current_database()"""
            )
            world.rename("Bob")
            assert "Bob SYNCED" in told
        finally:
            stop.set()
            loop.join()
