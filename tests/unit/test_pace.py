"""How much an apply transaction takes on when the target is slow, and when it is quick again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from pipeline.postgres.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Sequence

AIM = 2.5
LIMIT = 60.0  # of a statement


class Target:
    """A target that takes so many seconds for an item."""

    def __init__(self, pace: Pace, seconds: float) -> None:
        self.pace = pace
        self.seconds = seconds
        self.now = 0.0
        self.error: psycopg.Error | None = None

    def __call__(self) -> float:
        return self.now

    def take(self, count: int) -> list[int]:
        """The sizes of the parts that so many items are taken in."""
        sizes: list[int] = []

        def do(part: Sequence[int]) -> None:
            sizes.append(len(part))
            self.now += self.seconds * len(part)
            if self.error is not None:
                self.now = min(self.now, LIMIT)
                raise self.error

        self.pace.run(range(count), do)
        return sizes


@pytest.fixture
def target() -> Target:
    target = Target(Pace(AIM), 0.0001)
    target.pace = Pace(AIM, target)
    return target


def test_a_quick_target_takes_a_batch_as_a_whole(target: Target) -> None:
    assert [target.take(2_000) for _ in range(3)] == [[2_000]] * 3


def test_a_slow_one_is_given_what_it_can_do_in_the_time_aimed_at(target: Target) -> None:
    target.seconds = 0.1
    assert target.take(2_000) == [2_000]
    assert target.take(100) == [25] * 4


def test_it_is_given_more_again_when_it_is_quick(target: Target) -> None:
    target.seconds = 0.1
    target.take(2_000)
    target.seconds = 0.0001
    assert target.take(500) == [25, 50, 100, 200, 125]


def test_nothing_is_smaller_than_one(target: Target) -> None:
    target.seconds = 100
    target.take(1)
    assert target.take(3) == [1, 1, 1]


@pytest.mark.parametrize(
    ("seconds", "size"),
    [(0.1, 83), (0.0001, 1_000)],
    ids=["took a minute: what that would do in the time", "was quick: half"],
)
def test_what_took_too_long_is_tried_again_in_smaller_parts(
    target: Target, seconds: float, size: int
) -> None:
    target.seconds, target.error = seconds, psycopg.errors.QueryCanceled("statement timeout")
    with pytest.raises(psycopg.errors.QueryCanceled):
        target.take(2_000)
    target.error = None
    assert target.take(2_000)[0] == size


def test_an_outage_says_nothing_of_the_size(target: Target) -> None:
    target.error = psycopg.errors.DiskFull("no space left")
    with pytest.raises(psycopg.errors.DiskFull):
        target.take(2_000)
    target.error = None
    assert target.take(2_000) == [2_000]
