"""The endpoint of a long-running process: its metrics, and whether it makes progress."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.log import get_logger
from pipeline.metrics import Metrics, MetricsServer
from pipeline.pauses import Pauses
from pipeline.processes.herald import Herald

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipeline.metrics.server import Page
    from pipeline.process import Process
    from pipeline.settings import Settings

    Pages = Callable[[Metrics, Herald], Mapping[str, Page]]

_STALE_SECONDS: Final = 15.0
log = get_logger()


class Progress:
    """When the process last made progress, or had nothing to do: ready means that it does, not that it lives.

    `begun` is called once, when the process has come round for the first time.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, begun: Callable[[], None] = lambda: None
    ) -> None:
        self._clock = clock
        self._begun = begun
        self._last: float | None = None
        self._why = ""
        self.pauses = Pauses()

    def made(self) -> None:
        """The loop came round, and what could be done was."""
        if self._last is None:
            self._begun()
        self._last = self._clock()
        self._why = ""
        self.pauses.worked()

    def blocked(self, why: str) -> None:
        """The loop came round, and there is work that it cannot do."""
        if self._last is None:
            self.made()
        self._why = why
        self.pauses.worked()

    def missing(self) -> str | None:
        """Why the process is not ready; None when it is."""
        if self._last is None:
            return self.pauses.why or "starting: the servers have not been reached yet"
        if self.pauses.why is not None:
            return self.pauses.why
        silent = self._clock() - self._last
        if silent < _STALE_SECONDS:
            return None
        return f"no progress for {silent:.0f} s" + (f": {self._why}" if self._why else "")


@contextlib.contextmanager
def serve(
    settings: Settings, process: Process, *, port: int = 0, pages: Pages | None = None
) -> Iterator[tuple[Metrics, Progress, Process]]:
    """Serve the process's metrics while it runs, and share them; the process again, with the address.

    `pages` makes more pages, or others, from its metrics and its herald.
    """
    metrics = Metrics()
    herald = Herald(settings, process, metrics)
    progress = Progress(begun=herald.begin)
    server = MetricsServer(
        metrics,
        progress.missing,
        host=settings.metrics_host,
        port=port or settings.metrics_port,
        pages=pages(metrics, herald) if pages else {},
    )
    with server, herald:
        yield metrics, progress, msgspec.structs.replace(process, metrics_address=server.address)
    log.info("stopped", action="stopped", id=process.id)
