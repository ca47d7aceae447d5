"""A pipeline between two orgs, with short ways to break a target, to look at it, and to ask for letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from pipeline.letters import Selection, request, select

if TYPE_CHECKING:
    from pipeline.letters import LetterView
    from pipeline.relay import Relay
    from pipeline.worker import Worker
    from tests.fixtures.world import World

LIMIT: Final = "ALTER TABLE us.account ADD CONSTRAINT small CHECK (amount < 100)"
NO_LIMIT: Final = "ALTER TABLE us.account DROP CONSTRAINT small"


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

    def put(self, key: str, name: str | None, amount: int, *, active: bool = True) -> None:
        """Write a record at the source."""
        self.world.app.execute(
            "INSERT INTO emea.account VALUES (%s, %s, 'here', %s, %s) ON CONFLICT (ext_id) DO UPDATE"
            " SET name = excluded.name, amount = excluded.amount, active = excluded.active",
            [key, name, amount, active],
        )

    def targets(self) -> dict[str, tuple[str, int]]:
        """The records at the target: name and amount by key."""
        rows = self.world.rows("SELECT ext_id, name, amount::int FROM us.account")
        return {key: (name, amount) for key, name, amount in rows}

    def held(self) -> list[int]:
        """The changes that wait, in order."""
        return [id_ for (id_,) in self.world.rows("SELECT change_id FROM orgstream.held_change ORDER BY 1")]

    def letters(self, **selection: Any) -> list[LetterView]:
        """The open letters."""
        return select(self.world.app, Selection(**selection))

    def ask(self, what: str, **selection: Any) -> None:
        """Ask for letters to be settled, and let the worker do it."""
        request(self.world.app, self.letters(**selection), what, "a test")
        self.settle()

    def ledger(self) -> list[tuple[int, int]]:
        """What was applied: change and rule."""
        rows = self.world.rows("SELECT change_id, rule_id FROM orgstream.applied ORDER BY 1, 2")
        return [(change, rule) for change, rule in rows]


@pytest.fixture
def pipeline(world: World) -> Pipeline:
    return Pipeline(world)
