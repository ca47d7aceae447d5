"""Two orgs with rules both ways, whose changes travel when a test says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pipeline.worker import Worker
    from tests.fixtures.world import World

BOTH_WAYS = """
[orgs.emea]
schema = "emea"
[orgs.us]
schema = "us"

[[rules]]
name = "emea-to-us"
from = "emea.account"
to = "us.account"
key = { ext_id = "ext_id" }
{to_us}
[rules.map]
name = "name"
city = { expr = "city"{city} }

[[rules]]
name = "us-to-emea"
from = "us.account"
to = "emea.account"
key = { ext_id = "ext_id" }
{to_emea}
[rules.map]
name = "name"
city = "city"
"""


class Duel:
    """An account in both orgs, edited on both sides before anything travels."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._relay = world.relay()
        self._worker: Worker | None = None

    def begin(self, *, to_us: str = "", to_emea: str = "", city: str = "") -> None:
        """Make the rules live (with what is added to them), and have account `a` in both orgs."""
        city = f", {city}" if city else ""
        text = BOTH_WAYS.replace("{to_us}", to_us).replace("{to_emea}", to_emea).replace("{city}", city)
        self.world.apply_rules(text)
        self.edit("emea", "INSERT INTO {}.account (ext_id, name, city) VALUES ('a', 'Ann', 'Rome')")
        self.travel()

    def edit(self, org: str, statement: str) -> None:
        """What a user of the org does; `{}` stands for its schema."""
        self.world.app.execute(statement.replace("{}", org))

    def travel(self) -> None:
        """Let everything arrive."""
        if self._worker is None:
            self._worker = self.world.worker()
        self.world.settle(self._relay, self._worker)

    def row(self, org: str, key: str = "a") -> tuple[Any, ...] | None:
        """Name and city of an account."""
        query = "SELECT name, city FROM {}.account WHERE ext_id = %s".replace("{}", org)
        found = self.world.rows(query, [key])
        return found[0] if found else None

    def conflicts(self) -> list[tuple[Any, ...]]:
        """What was decided: rule, column, both values, winner."""
        return self.world.rows(
            "SELECT rule, column_name, source_value #>> '{}', target_value #>> '{}', winner"
            " FROM orgstream.conflict ORDER BY id"
        )

    def letters(self) -> list[tuple[Any, ...]]:
        """The open letters: rule, cause, column."""
        return self.world.rows(
            "SELECT rule, cause, column_name FROM orgstream.dead_letter WHERE resolved_at IS NULL ORDER BY id"
        )


@pytest.fixture
def duel(world: World) -> Duel:
    """Nothing is live yet."""
    return Duel(world)
