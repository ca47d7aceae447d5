"""Faults of Postgres: all its processes at once, or one; what is committed stays on the disk."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING, Final

from pipeline.embedded import ServerNotStarted
from pipeline.prove.fault import Cure, Fault, NotNow

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

    from pipeline.prove.world import World

SERVER: Final = "postgres"
_STARTS: Final = 20  # it refuses to start while a process of its former life is not quite gone
_START_PAUSE: Final = 0.2


def _send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _pids(world: World) -> list[int]:
    pids = [pid for (pid,) in world.ask("server_processes")]
    if not pids:
        raise NotNow
    return pids


def _kill(world: World, rng: random.Random) -> Cure:
    pids = _pids(world)
    world.away.add(SERVER)
    _send([world.postgres.pid, *pids], signal.SIGKILL)
    world.postgres.stop()
    world.forget_session()

    def start() -> None:
        for left in reversed(range(_STARTS)):
            try:
                world.postgres.start()
                break
            except ServerNotStarted:
                if not left:
                    raise
                time.sleep(_START_PAUSE)
        world.away.discard(SERVER)

    return Cure(rng.uniform(0.0, 1.5), start)


def _crash(world: World, rng: random.Random) -> None:
    _send([rng.choice(_pids(world))], signal.SIGKILL)
    world.forget_session()


def _pause(world: World, rng: random.Random) -> Cure:
    pids = [world.postgres.pid, *_pids(world)]
    world.away.add(SERVER)
    _send(pids, signal.SIGSTOP)

    def resume() -> None:
        _send(pids, signal.SIGCONT)
        world.away.discard(SERVER)

    return Cure(rng.uniform(0.2, 1.5) * world.settings.lease_seconds, resume)


def _cut(world: World, rng: random.Random) -> None:
    for (pid,) in world.ask("pipeline_sessions"):
        if rng.random() < 0.5:
            world.ask("cut_session", {"pid": pid})


POSTGRES_FAULTS: Final = {
    "postgres-kill": Fault("every process of Postgres is killed (-9); it recovers", _kill, SERVER),
    "postgres-crash": Fault("one process of Postgres is killed (-9); it restarts itself", _crash, SERVER),
    "postgres-pause": Fault("all of Postgres is stopped for a while", _pause, SERVER),
    "postgres-cut": Fault("half of the pipeline's sessions are ended", _cut, SERVER),
}
