"""Running a replay to its end: at a rate, through outages, until told to stop; it goes on where it was."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

from pipeline.log import get_logger
from pipeline.postgres.connection import connect, require_migrated
from pipeline.postgres.queries import load
from pipeline.replay import job
from pipeline.replay.portion import Portion
from pipeline.replay.replayer import Replayer
from pipeline.replay.select import ONE_SNAPSHOT, select
from pipeline.replay.selection import scope
from pipeline.rules import store
from pipeline.supervise import supervise
from stages.rules.compile import compile_rules
from stages.rules.model import RuleSet

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from pipeline.replay.job import Job
    from pipeline.replay.selection import Selection
    from pipeline.settings import Settings
    from pipeline.signals import Stop
    from stages.rules.compile import CompiledRules

_TELL_SECONDS: Final = 1.0
log = get_logger()


def live_rules(connection: psycopg.Connection) -> CompiledRules:
    """The rules that are live now."""
    return compile_rules(store.live(connection) or RuleSet(0, {}, (), ()))


def begin(
    connection: psycopg.Connection, selection: Selection, *, force: bool, progress: Callable[[int], None]
) -> int:
    """Select the changes and write the replay down, all or nothing; its number."""
    rules = live_rules(connection)
    with connection.transaction():
        connection.execute(ONE_SNAPSHOT)
        connection.execute(load("replay")["without_limit"])
        id_ = job.create(connection, selection, force=force)
        select(connection, id_, selection, scope(selection, rules), rules, force=force, progress=progress)
    return id_


class Running:
    """One replay on its way, for a process; `tell` is called about once a second and at the end."""

    def __init__(
        self,
        settings: Settings,
        stop: Stop,
        *,
        rate: float | None,
        tell: Callable[[Job, float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._rate = rate
        self._portion = Portion(rate)
        self._tell = tell
        self._clock = clock
        self._told = clock()
        self._began = clock()
        self._count = 0

    def run(self, id_: int) -> None:
        """Replay until the end, or until told to stop. Raises ConfigurationError, Failure."""
        supervise(lambda: self._work(id_), self._stop)

    def _work(self, id_: int) -> None:
        with contextlib.closing(connect(self._settings, "replay")) as connection:
            require_migrated(connection)
            with job.owned(connection, id_):
                self._replay(connection, job.job(connection, id_))

    def _replay(self, connection: psycopg.Connection, todo: Job) -> None:
        replayer = Replayer(
            connection,
            todo.id,
            first=todo.first_change,
            force=todo.force,
            partitions=self._partitions(connection),
        )
        rules = live_rules(connection)
        while not self._stop.requested:
            if store.live_version(connection) != rules.version:
                rules = live_rules(connection)
            meant = {rule.rule.id for rule in scope(todo.chosen, rules)}
            selected = replayer.step(self._portion.records, meant, rules)
            if selected:
                self._portion.took(selected)
            if not selected:
                connection.execute(load("replay")["finish"], {"replay": todo.id})
                log.info("a replay is at its end", action="replay_finished", id=todo.id)
                break
            self._count += selected
            self._report(connection, todo.id)
            self._pace(connection, todo.id)
        self._tell(job.job(connection, todo.id), self._seconds())

    def _partitions(self, connection: psycopg.Connection) -> int:
        """How many there are; where no worker has ever run, the rows that workers lock are made first."""
        count = connection.execute(load("lease")["partitions"]).fetchone()
        if count and count[0]:
            return int(count[0])
        stages = {"stages": ["apply"], "partitions": self._settings.partitions}
        connection.execute(load("lease")["prepare"], stages)
        return self._settings.partitions

    def _pace(self, connection: psycopg.Connection, id_: int) -> None:
        """Wait for the rate, and tell of it: a record with many changes takes its time."""
        while self._rate is not None and (left := self._count / self._rate - self._seconds()) > 0:
            if self._stop.wait(min(left, _TELL_SECONDS)):
                break
            self._report(connection, id_)

    def _report(self, connection: psycopg.Connection, id_: int) -> None:
        if self._clock() - self._told >= _TELL_SECONDS:
            self._told = self._clock()
            self._tell(job.job(connection, id_), self._seconds())

    def _seconds(self) -> float:
        return self._clock() - self._began
