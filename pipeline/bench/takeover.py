"""Take-over: a process is killed with -9 under load; how long until its partitions flow again."""

from __future__ import annotations

import contextlib
import itertools
import signal
import threading
import time
from statistics import median
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from pipeline.bench.report import Figure, figure
from pipeline.bench.watch import Watch
from pipeline.errors import Failure
from pipeline.postgres.connection import connect
from pipeline.postgres.queries import load
from pipeline.processes.children import ChildEnded, Children
from pipeline.topology import RELAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.bench.sizes import Sizes
    from pipeline.bench.world import World
    from pipeline.signals import Stop

METHOD: Final = (
    "A client updates single rows of all partitions all the time. A process is killed with -9; the time is "
    "taken until every partition that it held has applied a change captured after the kill. `worker`: one of "
    "two workers, the other one takes over. `relay`: the active one, another stands by. `restart`: the only "
    "worker, and another one is started at once, as a supervisor does; the start of Python included. Each "
    "time the killed one is replaced before the next round."
)
_LOOK_SECONDS: Final = 0.005
_LOAD_PAUSE: Final = 0.001
_RECORDS: Final = 1_000


class _Case(NamedTuple):
    """What is killed, beside whom, and what it means."""

    name: str
    kinds: tuple[str, ...]  # the processes that run
    stage: str  # the victim is a holder of it
    standby: bool  # whether another one takes over; else the successor is started after the kill
    meaning: str


_CASES: Final = (
    _Case("worker", ("relay", "worker", "worker"), "apply", True, "1 of 2 workers killed"),
    _Case("relay", ("relay", "relay", "worker"), RELAY, True, "the active relay killed, one stands by"),
    _Case("restart", ("relay", "worker"), "apply", False, "the only worker killed and started anew"),
)


def measure_takeover(world: World, sizes: Sizes, stop: Stop, tell: Callable[[str], None]) -> list[Figure]:
    """Kill, and wait for the flow, again and again. Raises Failure when it does not come back."""
    figures: list[Figure] = []
    for case in _CASES:
        tell(f"takeover: {case.meaning}, {sizes.takeovers} times")
        with _Round.of(world, case, stop) as rounds:
            seconds = [rounds.run() for _ in range(sizes.takeovers)]
        meaning = f"{case.meaning}: kill -9 to flowing again, {{}} of {len(seconds)}"
        for which, of in (("min", min), ("median", median), ("max", max)):
            name = f"takeover.{case.name}.{which}"
            figures.append(figure(name, of(seconds), "s", meaning.format(which)))
    return figures


class _Round:
    """The processes of a case, and one kill after the other."""

    def __init__(self, world: World, case: _Case, stop: Stop, children: Children, log: IO[bytes]) -> None:
        self._world = world
        self._case = case
        self._children = children
        self._log = log
        self._watch = Watch(stop, children)
        self._numbers = itertools.count(1)
        self._names: dict[int, str] = {}  # by process id
        for kind in case.kinds:
            self._start(kind)

    @classmethod
    @contextlib.contextmanager
    def of(cls, world: World, case: _Case, stop: Stop) -> Iterator[_Round]:
        """With the load, and all processes at the end of it. Raises Failure when one ended by itself."""
        path = world.folder / "takeover.log"
        with path.open("ab") as log, _load(world), Children(world.environment) as children:
            try:
                yield cls(world, case, stop, children, log)
            except ChildEnded as ended:
                tail = path.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise Failure(f"{ended}:\n{tail}") from ended

    def run(self) -> float:
        """Seconds from a kill to the flow. Raises Failure, Interrupted, ChildEnded."""
        case, every = self._case, range(self._world.settings.partitions)
        holding = sum(kind == case.kinds[-1] for kind in case.kinds) if case.stage != RELAY else 1
        self._watch.until("an even share", lambda: len(self._holders()) == holding, pause=0.05)
        self._await_flow(every)
        self._watch.until("the standby", self._all_announced, pause=0.05)
        victim, held = next(iter(self._holders().items()))
        self._children.send(self._names[victim], signal.SIGKILL)
        began = time.monotonic()
        self._children.kill(self._names.pop(victim))
        kind = "relay" if case.stage == RELAY else "worker"
        if not case.standby:
            self._start(kind)
        flowing = self._await_flow(every if case.stage == RELAY else held)
        if case.standby:
            self._start(kind)
        return flowing - began

    def _start(self, kind: str) -> None:
        name = f"{kind} {next(self._numbers)}"
        self._names[self._children.start(name, kind, log=self._log)] = name

    def _holders(self) -> dict[int, list[int]]:
        """The partitions of each process that holds some, by its process id."""
        rows = self._world.connection.execute(load("bench")["holders"], {"stage": self._case.stage})
        return {pid: held for pid, held in rows.fetchall() if pid in self._names}

    def _all_announced(self) -> bool:
        rows = self._world.connection.execute(load("bench")["announced"]).fetchall()
        return {pid for (pid,) in rows} >= set(self._names)

    def _await_flow(self, partitions: range | list[int]) -> float:
        """When all of these have applied a change that was captured from now on."""
        row = self._world.connection.execute(load("status")["now"]).fetchone()
        wanted = {"partitions": list(partitions), "since": row[0] if row else None}

        def flowing() -> bool:
            found = self._world.connection.execute(load("bench")["flowing"], wanted).fetchone()
            return found is not None and found[0] == len(partitions)

        return self._watch.until("the flow", flowing, pause=_LOOK_SECONDS)


@contextlib.contextmanager
def _load(world: World) -> Iterator[None]:
    """A client that writes all the time."""
    ended = threading.Event()

    def write() -> None:
        query, numbers = load("bench")["revise"], itertools.cycle(range(1, _RECORDS + 1))
        with contextlib.closing(connect(world.settings, "bench-load")) as connection:
            for revision in itertools.count(1):
                if ended.wait(_LOAD_PAUSE):
                    return
                connection.execute(
                    query, {"revision": revision, "phone": str(revision), "number": next(numbers)}
                )

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        ended.set()
        writer.join()
