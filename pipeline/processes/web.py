"""The `web` process: serves everyone's metrics and the status, and works on nothing."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from pipeline.log import get_logger
from pipeline.postgres.connection import connect
from pipeline.postgres.lease_table import PostgresLeaseTable
from pipeline.process import this_process
from pipeline.processes.assembly import check_servers
from pipeline.processes.endpoint import serve
from pipeline.supervise import supervise
from pipeline.web.pages import pages_of

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.signals import Stop

_LOOK_SECONDS: Final = 1.0
log = get_logger()


def run_web(settings: Settings, stop: Stop) -> None:
    """Serve until told to stop; through outages. Raises ConfigurationError, Failure."""
    named = this_process(settings, "web")
    served = serve(
        settings, named, port=settings.port, pages=lambda metrics, herald: pages_of(settings, metrics, herald)
    )
    with served as (_, progress, process):
        check_servers(settings)
        log.info("started", action="started", id=process.id, metrics=process.metrics_address)

        def announce() -> None:
            with contextlib.closing(connect(settings, "web")) as connection:
                table = PostgresLeaseTable(connection)
                try:
                    while not stop.requested:
                        table.announce(process)
                        progress.made()
                        stop.wait(_LOOK_SECONDS)
                finally:
                    if not connection.broken:
                        table.forget(process.id)

        supervise(announce, stop, pauses=progress.pauses)
