"""The client library django-heroku-connect finds what it expects: its models read and write our tables."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.fixtures.environment import server_missing

if TYPE_CHECKING:
    from tests.integration.connect.world import World


@pytest.fixture(autouse=True)
def _psycopg2() -> None:
    """The package needs psycopg 2 but does not ask for it."""
    if importlib.util.find_spec("psycopg2") is None:
        server_missing("django-heroku-connect needs psycopg2-binary, which is not installed")


def django(world: World, scenario: str) -> Any:
    """What a scenario of django_client.py finds, with every warning an error."""
    url = conninfo_to_dict(world.url)
    database = {"NAME": url["dbname"], "USER": url["user"], "HOST": url["host"], "PORT": url["port"]}
    module = "tests.integration.connect.django_client"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", module, scenario, json.dumps(database)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_trigger_log_models_read_both_logs(world: World) -> None:
    world.insert_account()
    world.app.execute("INSERT INTO emea.account (ext_id__c) VALUES ('nameless')")
    world.heroku.settle()
    world.rename("Bob")
    found = django(world, "read")
    assert found["live"] == [{"action": "UPDATE", "state": "NEW", "values": {"name": "Bob"}, "message": None}]
    assert [entry["state"] for entry in found["archive"]] == ["SUCCESS", "FAILED"]
    assert found["archive"][0]["values"]["name"] == "Ann"
    assert found["archive"][0]["values"]["sfid"] is None
    assert found["failed"] == ["Required fields are missing: [Name]"]
    assert found["text"].startswith("#2 INSERT account|2 ")
    assert found["model"] == ["Bob", None]
    assert found["checks"] == []


def test_related_entries_are_those_of_one_record(world: World) -> None:
    world.insert_account("x")
    world.insert_account("y")
    world.rename("Bob", "y")
    assert django(world, "related") == [[1, 0], [2, 1]]


def test_rows_written_by_the_orm_reach_salesforce(world: World) -> None:
    world.insert_account()
    world.heroku.settle()
    assert django(world, "write") == {"amount": 12.34}
    world.heroku.settle()
    (record,) = world.org.query("Account")
    assert (record["name"], record["ext_id__c"], record["amount__c"]) == ("Changed by Django", "dj", 12.34)


def test_a_row_can_be_captured_again(world: World) -> None:
    world.insert_account()
    world.heroku.settle()
    insert, *updates = django(world, "capture")
    assert (insert["action"], insert["state"]) == ("INSERT", "NEW")
    assert insert["values"]["sfid"] == world.account()["sfid"]
    assert [update["values"] for update in updates] == [
        {"name": "Ann"},
        {"name": "Ann", "amount__c": None},
    ]
    world.heroku.settle()
    assert [row["name"] for row in world.org.query("Account")] == ["Ann"]
    assert {state for _, state in world.archive()} == {"SUCCESS"}


@pytest.mark.parametrize("scenario", ["redo", "redo-merged"])
def test_a_failed_entry_can_be_redone(world: World, scenario: str) -> None:
    world.app.execute("INSERT INTO emea.account (ext_id__c) VALUES ('x')")
    world.heroku.settle()
    world.org.automate("Account", lambda new, _: None if new["name"] else {"Name": "Unnamed"})
    django(world, scenario)
    assert world.archive() == [("INSERT", "REQUEUED")]
    assert world.log() == [("INSERT", "NEW")]
    world.heroku.settle()
    assert world.account()["name"] == "Unnamed"


def test_a_live_entry_can_be_set_to_new(world: World) -> None:
    world.insert_account()
    world.heroku.settle()
    world.rename("Bob")
    world.app.execute("UPDATE emea._trigger_log SET state = 'FAILED'")
    django(world, "redo-live")
    assert world.log() == [("UPDATE", "NEW")]
    world.heroku.settle()
    assert world.org.query("Account")[0]["name"] == "Bob"
