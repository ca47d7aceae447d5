"""The writer's cost: what capture takes from the throughput of those who write to a captured table."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

from pipeline.bench.clients import Clients
from pipeline.bench.report import Figure, figure
from pipeline.bench.watch import Interrupted, Watch
from pipeline.postgres.queries import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.bench.processes import Processes
    from pipeline.bench.sizes import Sizes
    from pipeline.bench.world import World
    from pipeline.signals import Stop

METHOD: Final = (
    "4 client processes update single rows, one transaction each, as fast as they can, with the capture "
    "triggers and without them in turn; the medians are compared. The relay runs all the time, on the same "
    "processors."
)
CLIENTS: Final = 4


def measure_writer(
    world: World, processes: Processes, sizes: Sizes, stop: Stop, tell: Callable[[str], None]
) -> list[Figure]:
    """The throughput with and without capture, and the share that is left. Raises Failure."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    with (
        processes.running(workers=False) as children,
        Clients(world.environment, CLIENTS) as clients,
    ):
        Watch(stop, children).until("the relay", lambda: _relay_leads(world), pause=0.05)
        for number in range(2 * sizes.writer_rounds):
            captured = number % 4 in {1, 2}  # off, on, on, off: a trend favours neither
            tell(f"writer: {sizes.writer_seconds:g} s {'with' if captured else 'without'} capture")
            _capture(world, installed=captured)
            clients.start(sizes.writer_seconds)
            rates[captured].append(clients.finish() / sizes.writer_seconds)
            children.check()
            if stop.requested:
                raise Interrupted
        _capture(world, installed=True)
    with_capture, without = median(rates[True]), median(rates[False])
    who = f"{CLIENTS} clients, single-row updates"
    return [
        figure("writer.without", without, "changes/s", f"{who}, without capture"),
        figure("writer.with", with_capture, "changes/s", f"{who}, with capture"),
        figure("writer.share", 100 * with_capture / without, "%", f"{who}, what capture leaves"),
    ]


def _capture(world: World, *, installed: bool) -> None:
    query = load("bench")["install_capture" if installed else "remove_capture"]
    world.connection.execute(query)


def _relay_leads(world: World) -> bool:
    row = world.connection.execute(load("bench")["relay_leads"]).fetchone()
    return row is not None and bool(row[0])
