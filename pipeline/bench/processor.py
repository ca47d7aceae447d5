"""The processor time of a drain, by process: where all processors are busy, it alone decides the rate."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.bench.memory import children_of
from pipeline.bench.report import Figure, figure
from pipeline.postgres.queries import load
from pipeline.topology import RELAY

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipeline.bench.processes import Processes
    from pipeline.bench.world import World

_USER, _SYSTEM = 11, 12  # the places of the processor times in /proc/<pid>/stat, after the process's name
_MICROSECONDS: Final = 1e6


class ProcessorTime:
    """What our processes and both servers use from when they were looked at, by kind.

    The kinds are those of the processes, `postgres.<kind>` for the sessions of each, `postgres.others` for
    the server's own processes, and `redis`. The benchmark and its session are none of them.
    """

    def __init__(self, world: World, processes: Processes) -> None:
        self._world = world
        self._processes = processes
        self._before: dict[int, float] = {}
        self._look(self._kinds())

    def begin(self, kind: str) -> None:
        """Processes of this kind are ready: what they and their sessions used until now was their start."""
        session = "postgres.relay" if kind == RELAY else "postgres.worker"
        self._look([pid for pid, found in self._kinds().items() if found in (kind, session)])

    def figures(self, name: str, changes: int) -> list[Figure]:
        """What each kind used for one of so many changes; none where the system does not tell."""
        used: dict[str, float] = {}
        for pid, kind in self._kinds().items():
            used[kind] = used.get(kind, 0.0) + _seconds_of(pid) - self._before.get(pid, 0.0)
        parts = {kind: seconds * _MICROSECONDS / changes for kind, seconds in used.items() if seconds > 0}
        if not parts:
            return []
        total = figure(name, sum(parts.values()), "µs/change", "processor time of all processes")
        meaning = "of which by processes of this kind"
        return [
            total,
            *(figure(f"{name}.{kind}", one, "µs/change", meaning) for kind, one in sorted(parts.items())),
        ]

    def _look(self, pids: Collection[int]) -> None:
        self._before |= {pid: _seconds_of(pid) for pid in pids}

    def _kinds(self) -> dict[int, str]:
        sessions: dict[int, str] = dict(self._world.connection.execute(load("bench")["sessions"]).fetchall())
        kinds = {
            pid: f"postgres.{sessions.get(pid, 'others')}" for pid in children_of(self._world.postgres.pid)
        }
        kinds.pop(self._world.connection.info.backend_pid, None)
        return {**kinds, **self._processes.pids, self._world.redis_server.pid: "redis"}


def _seconds_of(pid: int) -> float:
    """The processor time that a process has used so far; 0 where nobody tells."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0.0
    times = stat.rpartition(")")[2].split()
    return (int(times[_USER]) + int(times[_SYSTEM])) / os.sysconf("SC_CLK_TCK")
