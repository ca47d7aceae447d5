"""The `worker` process: carry batches until told to stop, then hand the partitions over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.errors import ConfigurationError
from pipeline.log import get_logger
from pipeline.metrics import StageMetrics
from pipeline.process import this_process
from pipeline.processes.assembly import check_servers, open_worker, pace_of
from pipeline.processes.collector import Collector
from pipeline.processes.endpoint import serve
from pipeline.supervise import supervise
from pipeline.topology import steps_of

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.signals import Stop

_NO_PARTITION_PAUSE: Final = 0.2
log = get_logger()


def run_worker(settings: Settings, stages: str, stop: Stop) -> None:
    """Work until told to stop; through outages. Raises ConfigurationError, Failure."""
    steps = steps_of(stages)
    if settings.worker_block_seconds * 2 > settings.lease_seconds:
        raise ConfigurationError(
            f"a worker that waits {settings.worker_block_seconds:g} s for entries cannot renew leases of "
            f"{settings.lease_seconds:g} s in time. Set ORGSTREAM_WORKER_BLOCK_SECONDS to half of "
            "ORGSTREAM_LEASE_SECONDS at most."
        )
    named = this_process(settings, "worker", [step.stage for step in steps])
    with serve(settings, named) as (metrics, progress, process):
        check_servers(settings)
        log.info("started", action="started", id=process.id, stages=stages, metrics=process.metrics_address)

        pace = pace_of(settings)

        def work() -> None:
            with open_worker(settings, process, steps, metrics, pace) as worker:
                collector = Collector()
                while not stop.requested:
                    if not worker.step(block=settings.worker_block_seconds) and not worker.ready:
                        stop.wait(_NO_PARTITION_PAUSE)
                    collector.between_batches()
                    if worker.waiting:
                        progress.blocked("the streams of its partitions are not there: no relay made them")
                    else:
                        progress.made()

        supervise(work, stop, StageMetrics(metrics, steps[-1].stage), progress.pauses)
