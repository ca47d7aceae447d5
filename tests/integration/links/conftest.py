"""People with a number of their own and a key that may change, and a rule that knows them by the key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from psycopg.abc import Query

    from tests.fixtures.world import World

TABLES: Final = """
CREATE TABLE emea.person (id integer PRIMARY KEY, ext_id text UNIQUE, name text, city text);
CREATE TABLE us.person (ext_id text PRIMARY KEY, name text, city text, note text);
"""
RULE: Final = """
[orgs.emea]
schema = "emea"
[orgs.us]
schema = "us"

[[rules]]
name = "people"
from = "emea.person"
to = "us.person"
key = { ext_id = "ext_id" }
[rules.map]
name = "name"
city = "city"
"""


class People:
    """What becomes of people at the target; a relay and a worker move when told to."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.app.execute(TABLES)
        world.rules = RULE
        world.apply_rules()
        self.relay, self.worker = world.relay(), world.worker()

    def put(self, id_: int, ext_id: str | None, name: str = "Ann", city: str = "Rome") -> None:
        """A person is made, or changed."""
        self.world.app.execute(
            "INSERT INTO emea.person VALUES (%s, %s, %s, %s) ON CONFLICT (id) DO UPDATE"
            " SET ext_id = excluded.ext_id, name = excluded.name, city = excluded.city",
            [id_, ext_id, name, city],
        )

    def unseen(self, statement: Query) -> None:
        """A statement whose changes no trigger captures."""
        with self.world.session() as session:
            session.execute("SET LOCAL session_replication_role = replica")
            session.execute(statement)

    def settle(self) -> None:
        """Carry what was captured, and let everything periodic come round."""
        for _ in range(2):
            self.world.settle(self.relay, self.worker)
            self.world.clock.advance()
        self.world.settle(self.relay, self.worker)

    def there(self) -> dict[str, tuple[str, str]]:
        """Name and city at the target, by key."""
        rows = self.world.rows("SELECT ext_id, name, city FROM us.person ORDER BY 1")
        return {key: (name, city) for key, name, city in rows}

    def links(self) -> list[tuple[str, str | None]]:
        """Record and key of each link."""
        return self.world.rows("SELECT record, key FROM orgstream.record_link ORDER BY record")

    def letters(self) -> list[tuple[Any, ...]]:
        """Cause and code of the open dead letters."""
        return self.world.rows(
            "SELECT cause, sqlstate FROM orgstream.dead_letter WHERE resolved_at IS NULL ORDER BY id"
        )


@pytest.fixture
def people(world: World) -> People:
    """A rule between two tables of people; nobody is there yet."""
    return People(world)
