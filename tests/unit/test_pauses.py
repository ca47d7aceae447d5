"""A pause: told once, again now and then, and once when it is over; and not over too early."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import redis
from structlog.testing import capture_logs

from pipeline.errors import PostgresUnreachable, RedisUnreachable
from pipeline.metrics import Metrics, StageMetrics
from pipeline.pauses import Pauses, outage_of, remedy_of
from pipeline.ports import LeaseLost
from pipeline.processes.endpoint import Progress
from pipeline.signals import Stop
from pipeline.supervise import supervise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FULL = psycopg.errors.DiskFull("no space left on device")
LOCKED = psycopg.errors.LockNotAvailable("canceling statement due to lock timeout")


class Clock:
    """Seconds that only the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


def actions(lines: list[Any]) -> list[str]:
    return [line["action"] for line in lines]


def test_one_line_for_a_pause_and_not_one_for_each_attempt(clock: Clock, lines: list[Any]) -> None:
    pauses = Pauses(clock)
    for _ in range(10):
        pauses.failed(FULL, 5)
        clock.now += 5
    assert actions(lines) == ["outage"]
    assert lines[0]["away"] == "postgres"
    assert lines[0]["todo"] == "free disk space on the Postgres server"


def test_it_is_told_again_each_minute_and_when_the_reason_changes(clock: Clock, lines: list[Any]) -> None:
    pauses = Pauses(clock)
    for _ in range(14):
        pauses.failed(FULL, 5)
        clock.now += 5
    pauses.failed(LOCKED, 5)
    assert [(line["attempt"], line["error"]) for line in lines] == [(1, FULL), (13, FULL), (15, LOCKED)]


def test_it_is_over_after_as_long_a_time_of_work(clock: Clock, lines: list[Any]) -> None:
    pauses = Pauses(clock)
    pauses.failed(FULL, 2)
    clock.now += 2
    pauses.worked()
    assert str(pauses.why) == "paused for 2 s: DiskFull (53100): no space left on device"
    clock.now += 2
    pauses.worked()
    pauses.worked()
    assert pauses.why is None
    assert actions(lines) == ["outage", "outage_over"]
    assert (lines[1]["seconds"], lines[1]["attempts"]) == (4, 1)


def test_a_process_that_pauses_is_not_ready(clock: Clock) -> None:
    progress = Progress(clock)
    progress.pauses = Pauses(clock)
    progress.made()
    assert progress.missing() is None
    progress.pauses.failed(LOCKED, 1)
    assert "lock timeout" in str(progress.missing())
    clock.now += 3
    progress.made()
    assert progress.missing() is None


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (FULL, "postgres"),
        (PostgresUnreachable("cannot connect"), "postgres"),
        (RedisUnreachable("cannot use"), "redis"),
        (redis.exceptions.TimeoutError("silent"), "redis"),
        (LeaseLost("gone"), "lease"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_what_was_away_and_what_to_do(error: Exception, away: str) -> None:
    assert outage_of(error) == away
    assert remedy_of(error)


def failing(stop: Stop, times: int) -> Callable[[], None]:
    """Work that fails so often, then is asked to end."""
    attempts = iter(range(times))

    def work() -> None:
        if next(attempts, None) is not None:
            raise FULL
        stop.request()

    return work


def test_each_attempt_is_counted_by_what_was_away() -> None:
    stop, metrics = Stop(), Metrics()
    supervise(failing(stop, 2), stop, StageMetrics(metrics, "apply"))
    text = metrics.exposition().decode()
    assert 'orgstream_failures_total{error="postgres",stage="apply"} 2.0' in text
    assert 'orgstream_retries_total{error="postgres",stage="apply"} 2.0' in text


def test_told_to_stop_it_waits_no_longer() -> None:
    stop = Stop()

    def work() -> None:
        stop.request()
        raise FULL

    supervise(work, stop)


def test_a_bug_is_not_tried_again() -> None:
    def work() -> None:
        raise psycopg.InterfaceError("misused")

    with pytest.raises(psycopg.InterfaceError):
        supervise(work, Stop())
