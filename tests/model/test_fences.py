"""A worker wakes up after another has taken over: what the fences are there for. Chance seldom finds this."""

from __future__ import annotations

import pytest

from tests.model.defects import Unfenced
from tests.model.history import Broken
from tests.model.mover import Mover, Parts
from tests.model.world import LAYOUTS, ModelWorld

PARTITION = 1  # of the record b


def holder(world: ModelWorld, *, besides: Mover | None = None) -> Mover:
    """The worker that has the partition."""
    (found,) = [mover for mover in world.movers[2:] if mover is not besides and PARTITION in mover.held]
    return found


def wake_up_late(parts: Parts, points: int) -> None:
    """Suspend a worker before it reads, and wake it up when the next one is in the middle of a step."""
    world = ModelWorld(LAYOUTS[0], parts)
    for _ in range(12):
        world.step_all(1)
        world.advance(1.5)
    for number in range(6):
        world.source.put(0, "b", f"n{number}", active=True)
        world.source.end(0, commit=True)
    first = holder(world)
    first.step_with_pause(0, "redis")
    world.advance(6.0)
    world.step_all(1)
    world.publish(5)
    second = holder(world, besides=first)
    second.step_with_pause(points, "redis")
    first.resume()
    second.resume()
    world.check()
    world.heal()


@pytest.mark.parametrize("points", range(5))
def test_a_worker_that_wakes_up_late_changes_nothing(points: int) -> None:
    wake_up_late(Parts(), points)


@pytest.mark.parametrize("points", range(1, 4))  # at the others it has nothing in hand that is late
def test_without_fences_it_would_break_the_order(points: int) -> None:
    with pytest.raises(Broken, match="record b"):
        wake_up_late(Unfenced(), points)
