"""Keeping a process at its work: an outage of a server is waited out with back-off, a bug surfaces."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import psycopg
import redis
import tenacity

from pipeline.errors import ServerUnreachable
from pipeline.log import describe, get_logger
from pipeline.ports import Fenced, LeaseLost, StreamsFull, StreamsLost
from pipeline.postgres.faults import Fault, fault_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.metrics import StageMetrics
    from pipeline.signals import Stop

_LONGEST_WAIT: Final = 5.0
log = get_logger()


def is_outage(error: BaseException) -> bool:
    """Whether trying again later may help: a server is away, or a lease has gone to somebody else."""
    if isinstance(error, psycopg.Error):
        return fault_of(error) is Fault.OUTAGE
    return isinstance(
        error, redis.RedisError | ServerUnreachable | LeaseLost | StreamsLost | StreamsFull | Fenced
    )


def outage_of(error: BaseException) -> str:
    """What was away: postgres, redis, or a lease."""
    if isinstance(error, LeaseLost | Fenced):
        return "lease"
    return "postgres" if isinstance(error, psycopg.Error) else "redis"


def supervise(work: Callable[[], None], stop: Stop, counted: StageMetrics | None = None) -> None:
    """Run `work`, which opens what it needs and returns when told to stop; after an outage run it again.

    The back-off begins anew after a time without one. Told to stop during an outage, it just ends: what is
    in hand is with the servers. Raises what `work` raises for anything but an outage.
    """
    backoff = _Backoff()

    def attempt() -> None:
        backoff.began = time.monotonic()
        try:
            work()
        except Exception as error:
            if not (stop.requested and is_outage(error)):
                raise

    def pause(seconds: float) -> None:
        stop.wait(seconds)

    def tell(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if counted is not None and error is not None:
            counted.failed(outage_of(error), retried=not stop.requested)
        _tell(state, error)

    tenacity.Retrying(
        retry=tenacity.retry_if_exception(is_outage),
        wait=backoff + tenacity.wait_random(0, 0.1),
        sleep=pause,
        before_sleep=tell,
        reraise=True,
    )(attempt)


class _Backoff(tenacity.wait.wait_base):
    """Doubles from a tenth of a second, and forgets the outages before a time of good work."""

    def __init__(self) -> None:
        self.began = 0.0
        self._outages = 0

    def __call__(self, _: tenacity.RetryCallState) -> float:
        lasted = time.monotonic() - self.began
        self._outages = 0 if lasted > _LONGEST_WAIT else min(self._outages + 1, 10)
        return float(min(_LONGEST_WAIT, 0.1 * 2**self._outages))


def _tell(state: tenacity.RetryCallState, error: BaseException | None) -> None:
    log.warning(
        "paused by an outage, trying again",
        action="outage",
        error=describe(error) if error else "",
        attempt=state.attempt_number,
        seconds=round(state.upcoming_sleep, 2),
    )
