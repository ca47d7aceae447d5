"""Latency: from a commit at the source to the moment another session sees its effect at the target."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

from pipeline.bench.clients import Clients
from pipeline.bench.report import Figure, figure
from pipeline.bench.watch import Interrupted
from pipeline.errors import Failure
from pipeline.postgres.connection import connect
from pipeline.postgres.queries import load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.bench.processes import Processes
    from pipeline.bench.sizes import Sizes
    from pipeline.bench.world import World
    from pipeline.signals import Stop

METHOD: Final = (
    "A probe updates one record 20 times a second, on time whether or not the one before has arrived, and "
    "from the return of its commit on asks the target every fraction of a millisecond until it sees the "
    "change. Quiet: nothing else is written. Busy: 4 clients beside it write 1,000 single-row transactions "
    "a second, on time too."
)
PROBE: Final = 1  # the account that the probe writes
RATE: Final = 20.0  # of the probe, per second
BUSY_RATE: Final = 1_000.0
CLIENTS: Final = 4
_PAUSE: Final = 0.0002
_SLACK: Final = 0.005
_PATIENCE_SECONDS: Final = 30.0


def measure_latency(
    world: World, processes: Processes, sizes: Sizes, stop: Stop, tell: Callable[[str], None]
) -> list[Figure]:
    """The latency alone, and under load. Raises Failure when changes do not arrive."""
    seconds = sizes.latency_seconds
    with (
        processes.running() as children,
        Clients(world.environment, CLIENTS) as clients,
        Probe(world) as probe,
    ):
        probe.run(1.0, stop)  # the first change waits for the processes
        tell(f"latency: {seconds:g} s at {RATE:g}/s")
        quiet = probe.run(seconds, stop)
        tell(f"latency: {seconds:g} s under {BUSY_RATE:g}/s")
        clients.start(seconds + 1, rate=BUSY_RATE / CLIENTS)
        busy = probe.run(seconds, stop)
        written = clients.finish()
        children.check()
    rate = figure(
        "latency.busy.rate", written / (seconds + 1), "changes/s", "what the clients wrote meanwhile"
    )
    return [
        *_figures("quiet", f"at {RATE:g}/s", quiet),
        *_figures("busy", f"under {BUSY_RATE:g}/s", busy),
        rate,
    ]


def _figures(name: str, when: str, latencies: Sequence[float]) -> list[Figure]:
    return [
        figure(
            f"latency.{name}.p{percent}",
            1000 * percentile(latencies, percent),
            "ms",
            f"commit to visible {when}, {percent} % are faster, of {len(latencies)}",
        )
        for percent in (50, 99)
    ]


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of the values that so many percent of them do not exceed."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


class Probe:
    """Writes one record on a schedule and watches the target for it, on two connections."""

    def __init__(self, world: World) -> None:
        self._source = connect(world.settings, "bench-probe")
        self._target = connect(world.settings, "bench-probe")
        self._revision = 1_000_000  # above what the workloads leave in it
        self._queries = load("bench")

    def __enter__(self) -> Probe:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()
        self._target.close()

    def run(self, seconds: float, stop: Stop) -> list[float]:
        """Probe for so long; seconds from commit to visible of each change. Raises Interrupted, Failure."""
        began = time.monotonic()
        count, written = max(1, round(seconds * RATE)), 0
        committed: dict[int, float] = {}
        latencies: list[float] = []
        while len(latencies) < count:
            due = began + written / RATE
            now = time.monotonic()
            if written < count and now >= due:
                self._write(committed)
                written += 1
            elif committed:
                latencies += self._seen(committed)
                time.sleep(_PAUSE)
            elif stop.wait(max(0.0, due - now - _SLACK)):
                raise Interrupted
            if now - began > seconds + _PATIENCE_SECONDS:
                raise Failure("the probe's changes do not arrive at the target")
        return latencies

    def _write(self, committed: dict[int, float]) -> None:
        self._revision += 1
        self._source.execute(
            self._queries["revise"], {"revision": self._revision, "phone": "probe", "number": PROBE}
        )
        committed[self._revision] = time.monotonic()

    def _seen(self, committed: dict[int, float]) -> list[float]:
        row = self._target.execute(self._queries["probe"], {"number": PROBE}).fetchone()
        now = time.monotonic()
        arrived = [revision for revision in committed if row is not None and revision <= row[0]]
        return [now - committed.pop(revision) for revision in arrived]
