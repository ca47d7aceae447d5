"""The `worker` process: carry batches until told to stop, then hand the partitions over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.log import get_logger
from pipeline.process import this_process
from pipeline.processes.assembly import open_worker
from pipeline.supervise import supervise
from pipeline.topology import steps_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.process import Process
    from pipeline.settings import Settings
    from pipeline.signals import Stop
    from pipeline.topology import Step

_NO_PARTITION_PAUSE: Final = 0.2
log = get_logger()


def run_worker(settings: Settings, stages: str, stop: Stop) -> None:
    """Work until told to stop; through outages. Raises ConfigurationError, Failure."""
    steps = steps_of(stages)
    process = this_process(settings, "worker", [step.stage for step in steps])
    supervise(lambda: _work(settings, process, steps, stop), stop)


def _work(settings: Settings, process: Process, steps: Sequence[Step], stop: Stop) -> None:
    with open_worker(settings, process, steps) as worker:
        log.info("started", action="started", id=process.id, stages=",".join(process.stages))
        while not stop.requested:
            if not worker.step(block=settings.worker_block_seconds) and not worker.ready:
                stop.wait(_NO_PARTITION_PAUSE)
