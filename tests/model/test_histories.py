"""Histories that chance once found, in which something was lost or stood still: each as short as it gets."""

from __future__ import annotations

from tests.model.mover import Parts
from tests.model.world import LAYOUTS, ModelWorld


def world_of(layout: tuple[str, ...]) -> ModelWorld:
    world = ModelWorld(layout, Parts())
    world.step_all(3)
    return world


def test_a_connection_cut_after_one_rule_refused_a_change_loses_nothing_of_the_other_rule() -> None:
    for points in range(14):
        world = world_of(LAYOUTS[1])
        world.source.put(2, "b", None, active=True)
        world.movers[2].cut_at(points)
        world.source.put(2, "a", "n", active=False)
        world.source.end(2, commit=True)
        world.step_all(1)
        world.heal()


def test_fused_and_split_workers_share_out_all_partitions_whoever_is_older() -> None:
    world = world_of(LAYOUTS[1])
    world.source.put(0, "a", "n", active=False)
    for late, other in (
        (2, 2),
        (3, 2),
    ):
        world.movers[late].step_with_pause(0, "redis")
        world.advance(6.0)
        world.step_all(1)
        world.publish(4)
        world.movers[other].step_with_pause(0, "redis")
        world.resume()
    world.lose("all", 0, 0)
    world.heal()


def test_a_redis_that_goes_back_in_time_while_a_tick_is_being_published_hides_nothing() -> None:
    world = world_of(LAYOUTS[0])
    world.lose("save", 0, 0)
    for record in ("a", "a", "a", "a", "b", "a"):
        world.source.put(0, record, "n", active=False)
    world.source.end(0, commit=True)
    world.step_all(3)
    world.lose("go back", 0, 0)  # the tick's last piece is for another partition than what is lost
    world.heal()
