"""Keeping a process at its work: an outage of a server is waited out with back-off, a bug surfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import psycopg
import redis
import tenacity

from pipeline.errors import ServerUnreachable
from pipeline.pauses import Pauses, outage_of
from pipeline.ports import Fenced, LeaseLost, StreamsFull, StreamsLost
from pipeline.postgres.faults import Fault, fault_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.metrics import StageMetrics
    from pipeline.signals import Stop

_LONGEST_WAIT: Final = 5.0
_JITTER: Final = 0.25  # so that not all processes come back in the same moment


def is_outage(error: BaseException) -> bool:
    """Whether trying again later may help: a server is away, or a lease has gone to somebody else."""
    if isinstance(error, psycopg.Error):
        return fault_of(error) is Fault.OUTAGE
    return isinstance(
        error, redis.RedisError | ServerUnreachable | LeaseLost | StreamsLost | StreamsFull | Fenced
    )


def supervise(
    work: Callable[[], None], stop: Stop, counted: StageMetrics | None = None, pauses: Pauses | None = None
) -> None:
    """Run `work`, which opens what it needs and returns when told to stop; after an outage run it again.

    The back-off begins anew when a pause is over, which `pauses` knows from the work. Told to stop during an
    outage, it just ends: what is in hand is with the servers. Raises what `work` raises for anything but an
    outage.
    """
    pauses = pauses or Pauses()

    def attempt() -> None:
        try:
            work()
        except Exception as error:
            if not (stop.requested and is_outage(error)):
                raise

    def pause(seconds: float) -> None:
        stop.wait(seconds)

    def tell(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if error is None:
            return
        if counted is not None:
            counted.failed(outage_of(error), retried=not stop.requested)
        pauses.failed(error, state.upcoming_sleep)

    tenacity.Retrying(
        retry=tenacity.retry_if_exception(is_outage),
        wait=_Backoff(pauses) + tenacity.wait_random(0, _JITTER),
        sleep=pause,
        before_sleep=tell,
        reraise=True,
    )(attempt)


class _Backoff(tenacity.wait.wait_base):
    """Doubles from a tenth of a second with each attempt of one pause."""

    def __init__(self, pauses: Pauses) -> None:
        self._pauses = pauses

    def __call__(self, _: tenacity.RetryCallState) -> float:
        return float(min(_LONGEST_WAIT, 0.1 * 2 ** min(self._pauses.attempts, 10)))
