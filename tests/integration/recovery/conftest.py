"""A pipeline between two orgs, with short ways to break a target, to look at it, and to ask for letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from pipeline.letters import Selection, request, select
from pipeline.replay.job import job
from pipeline.replay.replayer import Replayer
from pipeline.replay.run import begin, live_rules
from pipeline.replay.selection import Selection as Selected

if TYPE_CHECKING:
    from pipeline.letters import LetterView
    from pipeline.relay import Relay
    from pipeline.replay.job import Job
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
        self.replay_id = 0
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

    def replayer(self, *, force: bool = False, **selection: Any) -> Replayer:
        """A replay that is begun, with nothing of it done."""
        selected = Selected(**selection)
        self.replay_id = begin(self.world.app, selected, force=force, progress=lambda _: None)
        first = job(self.world.app, self.replay_id).first_change
        partitions = self.world.settings.partitions
        return Replayer(self.world.app, self.replay_id, first=first, force=force, partitions=partitions)

    def step(self, replayer: Replayer, records: int = 100) -> int:
        """Let a replay do some records."""
        rules = live_rules(self.world.app)
        return replayer.step(records, rules.by_id.keys(), rules)

    def replay(self, *, force: bool = False, **selection: Any) -> Job:
        """Replay to the end, a few records at a time."""
        replayer = self.replayer(force=force, **selection)
        while self.step(replayer, 3):
            pass
        return job(self.world.app, self.replay_id)

    def ledger(self) -> list[tuple[int, int]]:
        """What was applied: change and rule."""
        rows = self.world.rows("SELECT change_id, rule_id FROM orgstream.applied ORDER BY 1, 2")
        return [(change, rule) for change, rule in rows]


@pytest.fixture
def pipeline(world: World) -> Pipeline:
    return Pipeline(world)
