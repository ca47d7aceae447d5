"""The `relay` process: publish while there is something, stay awake a moment, then sleep until the bell."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

from pipeline.log import get_logger
from pipeline.metrics import StageMetrics
from pipeline.metrics.looks import look_of
from pipeline.postgres.connection import connect
from pipeline.process import this_process
from pipeline.processes.assembly import check_servers, open_relay
from pipeline.processes.collector import Collector
from pipeline.processes.endpoint import serve
from pipeline.supervise import supervise
from pipeline.topology import RELAY
from pipeline.wakeup import Wakeup

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.metrics import Reading
    from pipeline.processes.endpoint import Progress
    from pipeline.relay import Relay
    from pipeline.settings import Settings
    from pipeline.signals import Stop

_PAUSE: Final = 0.001  # between two looks while awake
_LONGEST_PAUSE: Final = 0.02  # while it waits for the streams: for room, or until they have run empty
_STANDBY_PAUSE: Final = 0.5
log = get_logger()


def run_relay(settings: Settings, stop: Stop) -> None:
    """Relay until told to stop; through outages. Raises ConfigurationError, Failure."""
    with serve(settings, this_process(settings, "relay")) as (metrics, progress, process):
        check_servers(settings)
        log.info("started", action="started", id=process.id, metrics=process.metrics_address)

        served = _Served(settings)
        metrics.watch(served.look)

        def relay() -> None:
            with (
                contextlib.closing(connect(settings, "relay-bell")) as bell,
                open_relay(settings, process, metrics) as opened,
            ):
                served.relay = opened
                _Loop(opened, Wakeup(bell), settings, stop, progress).run()

        supervise(relay, stop, StageMetrics(metrics, RELAY), progress.pauses)


class _Served:
    """The looked-up metrics, while this relay is the active one."""

    def __init__(self, settings: Settings) -> None:
        self.relay: Relay | None = None
        self._look = look_of(settings)

    def look(self) -> Iterable[Reading]:
        """Nothing while another relay serves them. Raises ServerUnreachable."""
        return self._look() if self.relay is not None and self.relay.leading else ()


class _Loop:
    def __init__(
        self, relay: Relay, wakeup: Wakeup, settings: Settings, stop: Stop, progress: Progress
    ) -> None:
        self._relay = relay
        self._wakeup = wakeup
        self._settings = settings
        self._stop = stop
        self._progress = progress
        self._leading = False
        self._collector = Collector()

    def run(self) -> None:
        active, pause = time.monotonic(), _PAUSE
        while not self._stop.requested:
            if self._relay.step():
                active, pause = time.monotonic(), _PAUSE
            elif self._relay.waiting:
                self._stop.wait(pause)
                active, pause = time.monotonic(), min(2 * pause, _LONGEST_PAUSE)
            elif not self._relay.leading:
                self._stop.wait(min(self._settings.lease_seconds / 10, _STANDBY_PAUSE))
            elif time.monotonic() - active < self._settings.relay_idle_seconds:
                time.sleep(_PAUSE)
            else:
                self._sleep()
                active = time.monotonic()
            self._came_round()

    def _sleep(self) -> None:
        """Wait for the bell. Who wrote before the bell was on and commits only now does not ring it, so we
        look again soon, and then ever later.
        """
        self._wakeup.sleep()
        pause = _PAUSE
        while not self._stop.requested and not self._relay.step():
            self._came_round()
            pause = min(2 * pause, self._settings.relay_poll_seconds)
            if self._wakeup.wait(pause) or not self._relay.leading:
                break
        if self._relay.leading:
            self._wakeup.wake()
        else:
            self._wakeup.forget()

    def _came_round(self) -> None:
        self._collector.between_batches()
        if self._relay.waiting:
            self._progress.blocked("the stages finish nothing, and the streams are full or have to run empty")
        else:
            self._progress.made()
        if self._relay.leading != self._leading:
            self._leading = self._relay.leading
            if self._leading:
                log.info("this relay is the active one", action="relay_leading")
            else:
                log.info("this relay stands by", action="relay_standby")
