"""`orgstream explain` looks values up as apply would, and tells what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.cli import main
from tests.fixtures.orgs import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.fixtures.world import World

    Explain = Callable[..., dict[str, Any]]

LOOKUP: Final = RULES.replace(
    'account = "account"',
    'account = { lookup = "us.account", where = { ext_id = "account" }, take = "note" }',
)


def test_a_value_that_is_found(world: World, explained: Explain) -> None:
    world.apply_rules(LOOKUP)
    world.app.execute("INSERT INTO us.account (ext_id, note) VALUES ('A1', 'noted')")
    world.app.execute("INSERT INTO emea.contact VALUES ('c', 'A1', 'e@x')")
    found = explained("contacts", "--key", "c")
    account = found["transform"]["columns"][0]
    assert account["expression"] == "note of us.account where ext_id = account"
    assert (account["inputs_after"], account["after"]) == ({"account": "A1"}, "noted")
    assert found["match"]["outcome"] == "enter"
    assert found["apply"]["statements"][0]["records"][0]["account"] == "noted"


def test_a_change_that_waits(world: World, explained: Explain, capsys: pytest.CaptureFixture[str]) -> None:
    world.apply_rules(LOOKUP)
    relay, worker = world.relay(), world.worker()
    world.app.execute("INSERT INTO emea.contact VALUES ('c', 'A1', 'e@x')")
    world.settle(relay, worker)
    found = explained("contacts", "--key", "c")
    assert found["match"]["outcome"] == "waits"
    assert "waits for us.account where ext_id = 'A1'" in found["transform"]["wait"]
    assert found["apply"]["statements"] == []
    (wait,) = found["state"]["waits"]
    assert (wait["change_id"], wait["held"]) == (1, 0)
    assert main(["explain", "contacts", "--key", "c"]) == 0
    assert f"wait {wait['id']}: change 1: `account` waits for us.account" in capsys.readouterr().out
