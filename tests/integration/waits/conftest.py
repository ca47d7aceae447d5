"""Two orgs whose contacts refer to accounts, and short ways to write to them and to look at what arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.fixtures.orgs import EMEA_AND_US

if TYPE_CHECKING:
    from pipeline.relay import Relay
    from pipeline.worker import Worker
    from tests.fixtures.world import World

TABLES: Final = """
CREATE TABLE us.owner (username text, sfid text);
ALTER TABLE us.account ADD COLUMN sfid text;
CREATE TABLE us.child (ext_id text PRIMARY KEY, parent text, owner text, email text);
CREATE TABLE emea.child (ext_id text PRIMARY KEY, parent text, owner text, email text);
"""
RULES: Final = """
[[rules]]
name = "accounts"
from = "emea.account"
to = "us.account"
key = { ext_id = "ext_id" }
[rules.map]
name = "name"

[[rules]]
name = "children"
from = "emea.child"
to = "us.child"
key = { ext_id = "ext_id" }
[rules.map]
email = "email"
MAPPED
"""
LOOKUP: Final = (
    'parent = { lookup = "us.account", where = { ext_id = "parent" }, take = "sfid", missing = "wait" }'
)


def rules(mapped: str) -> str:
    """The rules, with columns of the children mapped so."""
    return EMEA_AND_US + RULES.replace("MAPPED", mapped)


class Family:
    """Parents (accounts) and children of the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.app.execute(TABLES)
        self.relay: Relay = world.relay()
        self.worker: Worker = world.worker()

    def apply(self, mapped: str) -> None:
        """Make rules live that fill the children's columns so."""
        self.world.apply_rules(rules(mapped))

    def child(self, ext_id: str, parent: str | None, email: str = "e", owner: str | None = None) -> None:
        """Write a child at the source, inserted or over what is there."""
        self.world.app.execute(
            "INSERT INTO emea.child (ext_id, parent, email, owner) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (ext_id) DO UPDATE"
            " SET parent = excluded.parent, email = excluded.email, owner = excluded.owner",
            [ext_id, parent, email, owner],
        )

    def parent(self, ext_id: str) -> None:
        """Write a parent at the source."""
        self.world.app.execute("INSERT INTO emea.account (ext_id, name) VALUES (%s, 'Ann')", [ext_id])

    def arrive(self, ext_id: str, sfid: str | None) -> None:
        """Write a parent at the target, as an application would."""
        self.world.app.execute("INSERT INTO us.account (ext_id, sfid) VALUES (%s, %s)", [ext_id, sfid])

    def settle(self) -> None:
        """Let all that is under way take effect, with what is periodic."""
        for _ in range(3):
            self.world.settle(self.relay, self.worker)
            self.world.clock.advance(2)

    def children(self) -> list[tuple[Any, ...]]:
        """The children at the target."""
        return self.world.rows("SELECT ext_id, parent, email FROM us.child ORDER BY ext_id")

    def waiting(self) -> list[tuple[Any, ...]]:
        """What waits: the record, the awaited row and column."""
        return self.world.rows(
            "SELECT key ->> 'ext_id', awaits_schema || '.' || awaits_table, awaits_key, awaits_take"
            " FROM orgstream.waiting ORDER BY 1"
        )

    def letters(self) -> list[tuple[Any, ...]]:
        """The open dead letters."""
        return self.world.rows(
            "SELECT cause, rule, key ->> 'ext_id', message FROM orgstream.dead_letter"
            " WHERE resolved_at IS NULL ORDER BY id"
        )


@pytest.fixture
def family(world: World) -> Family:
    """A family without rules yet."""
    return Family(world)
