"""The endpoint of a long-running process: its metrics, and whether it makes progress."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.metrics import Metrics, MetricsServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.process import Process
    from pipeline.settings import Settings

_STALE_SECONDS: Final = 15.0


class Progress:
    """When the process last came round its loop: ready means that it does, not that it lives."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: float | None = None

    def made(self) -> None:
        """The loop came round."""
        self._last = self._clock()

    def missing(self) -> str | None:
        """Why the process is not ready; None when it is."""
        if self._last is None:
            return "starting: the servers have not been reached yet"
        silent = self._clock() - self._last
        return None if silent < _STALE_SECONDS else f"no progress for {silent:.0f} s"


@contextlib.contextmanager
def serve(settings: Settings, process: Process) -> Iterator[tuple[Metrics, Progress, Process]]:
    """Serve the process's metrics while it runs; the process again, with the address."""
    metrics, progress = Metrics(), Progress()
    server = MetricsServer(metrics, progress.missing, host=settings.metrics_host, port=settings.metrics_port)
    with server:
        yield metrics, progress, msgspec.structs.replace(process, metrics_address=server.address)
