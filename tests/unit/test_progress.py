"""Ready means making progress, or having nothing to do."""

from __future__ import annotations

import pytest

from pipeline.processes.endpoint import Progress


class Seconds:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


def test_a_process_that_has_not_come_round_is_starting(clock: Seconds) -> None:
    assert "starting" in (Progress(clock).missing() or "")


def test_it_is_ready_while_it_comes_round(clock: Seconds) -> None:
    progress = Progress(clock)
    for _ in range(3):
        progress.made()
        clock.now += 14
        assert progress.missing() is None
    clock.now += 2
    assert progress.missing() == "no progress for 16 s"


def test_work_that_cannot_be_done_is_no_progress(clock: Seconds) -> None:
    progress = Progress(clock)
    progress.made()
    for _ in range(4):
        clock.now += 5
        progress.blocked("the streams are full")
    assert progress.missing() == "no progress for 20 s: the streams are full"
    progress.made()
    assert progress.missing() is None


def test_a_short_wait_is_none(clock: Seconds) -> None:
    progress = Progress(clock)
    progress.blocked("the streams are full")
    clock.now += 14
    progress.blocked("the streams are full")
    assert progress.missing() is None


def test_others_are_told_once_that_it_has_begun(clock: Seconds) -> None:
    begun: list[float] = []
    progress = Progress(clock, begun=lambda: begun.append(clock()))
    assert begun == []
    progress.made()
    progress.made()
    assert begun == [100.0]
