"""The pause of a process: told once when it begins, now and then while it lasts, and once when it is over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import psycopg
import redis

from pipeline.errors import OrgstreamError, PostgresUnreachable
from pipeline.log import describe, get_logger
from pipeline.ports import Fenced, LeaseLost, StreamsFull, StreamsLost
from pipeline.postgres.faults import treatment_of

if TYPE_CHECKING:
    from collections.abc import Callable

_TELL_AGAIN: Final = 60.0
_TRIED_AGAIN: Final = "nothing: it is tried again"
log = get_logger()


def outage_of(error: BaseException) -> str:
    """What was away: postgres, redis, or a lease."""
    if isinstance(error, LeaseLost | Fenced):
        return "lease"
    return "postgres" if isinstance(error, psycopg.Error | PostgresUnreachable) else "redis"


def remedy_of(error: BaseException) -> str:
    """What a person can do about an outage."""
    if isinstance(error, psycopg.Error):
        return treatment_of(error).remedy or _TRIED_AGAIN
    if isinstance(error, redis.exceptions.OutOfMemoryError | StreamsFull):
        return "lower ORGSTREAM_STREAM_MAX_BYTES, or give Redis more memory"
    if isinstance(error, redis.RedisError):
        return "check that the Redis at REDIS_URL runs and can be reached"
    if isinstance(
        error, OrgstreamError | LeaseLost | Fenced | StreamsLost
    ):  # the message says what there is to do
        return _TRIED_AGAIN
    return ""


class Pauses:
    """What a process that cannot work says of it. `why` is for whoever asks whether it is ready."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: float | None = None
        self._trusted_at = 0.0
        self.attempts = 0  # that failed in this pause
        self._told: tuple[str, float] | None = None
        self._error = ""

    @property
    def why(self) -> str | None:
        """Why the process pauses; None when it does not."""
        if self._began is None:
            return None
        return f"paused for {self._clock() - self._began:.0f} s: {self._error}"

    def failed(self, error: BaseException, wait: float) -> None:
        """An attempt failed, and `wait` seconds from now there is another."""
        now, self._error = self._clock(), describe(error)
        self.attempts += 1
        self._began = self._began if self._began is not None else now
        self._trusted_at = now + 2 * wait
        kind = type(error).__name__ + str(getattr(error, "sqlstate", None))
        if self._told is None or self._told[0] != kind or now - self._told[1] >= _TELL_AGAIN:
            self._told = (kind, now)
            self._tell(error)

    def worked(self) -> None:
        """The process came round. The pause is over once it has worked for as long as it had waited."""
        if self._began is None or self._clock() < self._trusted_at:
            return
        lasted = round(self._clock() - self._began, 1)
        log.info("the outage is over", action="outage_over", seconds=lasted, attempts=self.attempts)
        self._began = self._told = None
        self.attempts = 0

    def _tell(self, error: BaseException) -> None:
        away = outage_of(error)
        if away == "lease":
            log.warning("a lease has gone to another process", action="lease_lost", error=error)
            return
        log.warning(
            "paused by an outage, trying again",
            action="outage",
            away=away,
            error=error,
            todo=remedy_of(error),
            attempt=self.attempts,
        )
