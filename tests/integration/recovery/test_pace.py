"""What a replay costs, and what it tells while it keeps to its rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.letters import Selection, select
from pipeline.replay.job import job
from pipeline.replay.replayer import Replayer
from pipeline.replay.run import Running, begin, live_rules
from pipeline.replay.selection import Selection as Selected
from pipeline.signals import Stop
from tests.integration.recovery.conftest import LIMIT

if TYPE_CHECKING:
    import psycopg

    from pipeline.replay.job import Job
    from tests.integration.recovery.conftest import Pipeline


class Patient(Stop):
    """Waits by a clock of its own, and so not at all."""

    now = 0.0

    def wait(self, seconds: float) -> bool:
        """Let time pass."""
        self.now += seconds
        return False


class Counted:
    """A connection that counts its statements."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self.statements = 0

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        """As the connection does."""
        self.statements += 1
        return self._connection.execute(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def test_it_tells_how_far_it_is_while_it_waits_for_its_rate(pipeline: Pipeline) -> None:
    for key in "ab":
        for amount in range(4):
            pipeline.put(key, "name", amount)
    pipeline.settle()
    id_ = begin(pipeline.world.app, Selected(), force=True, progress=lambda _: None)
    told: list[tuple[int, float]] = []
    stop = Patient()

    def tell(done: Job, seconds: float) -> None:
        told.append((done.done, seconds))

    Running(pipeline.world.settings, stop, rate=1.0, tell=tell, clock=lambda: stop.now).run(id_)
    assert told == [(1, 1.0), (1, 2.0), (1, 3.0), (1, 4.0), (2, 5.0), (2, 6.0), (2, 7.0), (2, 8.0), (2, 8.0)]
    assert job(pipeline.world.app, id_).state == "finished"


def test_a_step_takes_as_many_statements_for_many_records_as_for_few(pipeline: Pipeline) -> None:
    """Also where records are blocked: each by a letter of its own."""
    pipeline.world.app.execute(LIMIT)
    for number in range(12):
        pipeline.put(f"good{number}", "name", 1)
        pipeline.put(f"bad{number}", "name", 500)
    pipeline.settle()
    assert len(select(pipeline.world.app, Selection())) == 12
    rules = live_rules(pipeline.world.app)
    statements = []
    for records in (2, 22):  # one good and one bad; the rest
        id_ = begin(pipeline.world.app, Selected(), force=True, progress=lambda _: None)
        connection: Any = Counted(pipeline.world.app)
        replayer = Replayer(connection, id_, first=1, force=True, partitions=4)
        replayer.step(records, rules.by_id.keys(), rules)
        statements.append(connection.statements)
        assert job(pipeline.world.app, id_).held == records / 2
    assert statements[0] == statements[1] > 5
