"""A world with live rules, in the words of the scenarios: what is written, what arrives, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fixtures.deployment import AUDIT

if TYPE_CHECKING:
    import psycopg

    from pipeline.relay import Relay
    from pipeline.worker import Worker
    from tests.fixtures.world import World


class Story:
    """What happens between the orgs `emea` and `us`."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.app.execute(AUDIT)
        world.apply_rules()

    def write(self, ext_id: str, name: str, session: psycopg.Connection | None = None) -> None:
        """A user gives an account a name; it is made where it is not there."""
        (session or self.world.app).execute(
            "INSERT INTO emea.account VALUES (%s, %s, 'Rome', 1, true)"
            " ON CONFLICT (ext_id) DO UPDATE SET name = excluded.name",
            [ext_id, name],
        )

    def write_many(self, count: int, name: str = "n") -> None:
        """So many accounts, each in a transaction of its own."""
        for number in range(count):
            self.write(f"k{number}", f"{name}{number}")

    def past(self, ext_id: str) -> list[str]:
        """The names that an account has had at the target, in order."""
        query = "SELECT name FROM public.audit WHERE ext_id = %s ORDER BY id"
        return [name for (name,) in self.world.rows(query, [ext_id])]

    def pass_time(self, *movers: Relay | Worker) -> None:
        """Let everything periodic come round, and everything settle."""
        for _ in range(3):
            self.world.clock.advance(2)
            self.world.settle(*movers)

    def require_replicated(self, changes: int) -> None:
        """The target is what the rules say of the source; each of so many changes took effect once."""
        world = self.world
        source = world.rows("SELECT ext_id, upper(name) FROM emea.account WHERE active ORDER BY 1")
        assert world.rows("SELECT ext_id, name FROM us.account ORDER BY 1") == source
        assert world.rows("SELECT count(*) FROM orgstream.change_queue") == [(changes,)]
        assert world.rows("SELECT count(*), count(DISTINCT change_id) FROM orgstream.applied") == [
            (changes, changes)
        ]
        assert world.rows("SELECT cause FROM orgstream.dead_letter") == []
        assert world.outstanding() == 0


@pytest.fixture
def story(world: World) -> Story:
    """Two orgs and the rules between them; nothing runs yet."""
    return Story(world)
