"""A run: its parts one after the other on the same servers, then memory, then the report."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pipeline.bench import drains, latency, native, takeover, writer
from pipeline.bench.machine import this_machine
from pipeline.bench.memory import children_of, peak_mebibytes
from pipeline.bench.processes import Processes
from pipeline.bench.report import Figure, Report, figure
from pipeline.bench.watch import Interrupted
from pipeline.bench.workloads import workloads
from pipeline.bench.world import World, world

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.bench.sizes import Options
    from pipeline.settings import Settings
    from pipeline.signals import Stop

METHODS: Final = {
    "drains": drains.METHOD,
    "latency": latency.METHOD,
    "takeover": takeover.METHOD,
    "writer": writer.METHOD,
    "native": native.METHOD,
}
_MIB: Final = 2**20


def run(settings: Settings, options: Options, stop: Stop, tell: Callable[[str], None]) -> Report | None:
    """Measure what was asked for; None when it was stopped before its end. Raises Failure."""
    at, began = datetime.now(UTC), time.monotonic()
    try:
        with world(settings) as place:
            machine = this_machine(place.version_of_postgres(), place.version_of_redis())
            figures = _measure(place, options, stop, tell)
    except Interrupted:
        return None
    return Report(
        at=at.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - began, 1),
        machine=machine,
        options=options,
        method={part: method for part, method in METHODS.items() if part in options.parts},
        figures=figures,
    )


def _measure(place: World, options: Options, stop: Stop, tell: Callable[[str], None]) -> list[Figure]:
    processes, sizes = Processes(place, options), options.sizes
    figures: list[Figure] = []
    if "drains" in options.parts:
        figures += drains.measure_drains(place, processes, sizes, stop, tell)
    else:
        workloads(sizes)[0].make(place.connection)  # the accounts that the others update
    if "latency" in options.parts:
        figures += latency.measure_latency(place, processes, sizes, stop, tell)
    if "takeover" in options.parts:
        figures += takeover.measure_takeover(place, sizes, stop, tell)
    if "native" in options.parts:
        figures += native.measure_native(place, sizes, stop, tell)
    memory = _memory(place, processes)
    if "writer" in options.parts:  # last, for it leaves a backlog
        figures += writer.measure_writer(place, processes, sizes, stop, tell)
    return figures + memory


def _memory(place: World, processes: Processes) -> list[Figure]:
    meaning = "most memory that one such process held"
    figures = [figure(f"memory.{kind}", peak, "MiB", meaning) for kind, peak in processes.peaks.items()]
    backends = [peak_mebibytes(pid) for pid in children_of(place.postgres.pid)]
    largest = max((peak for peak in backends if peak is not None), default=None)
    if largest is not None:
        shared = "largest Postgres process alive at the end, shared buffers included"
        figures.append(figure("memory.postgres", largest, "MiB", shared))
    used = place.client.info("memory")["used_memory_peak"]
    return [*figures, figure("memory.redis", used / _MIB, "MiB", "peak of what Redis held")]
