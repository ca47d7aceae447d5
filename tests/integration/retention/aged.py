"""A world whose changes are old enough to be dropped, and short ways to look at what is left of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fixtures.world import World

ROUNDS = 12  # more than all the pieces of work that there can be


def insert(world: World, *ids: str) -> None:
    """An account each, in one transaction each."""
    for id_ in ids:
        world.app.execute(
            "INSERT INTO emea.account (ext_id, name, amount, active) VALUES (%s, %s, 1, true)", [id_, id_]
        )


def queued(world: World) -> list[int]:
    """The change ids that are left."""
    return [id_ for (id_,) in world.rows("SELECT id FROM orgstream.change_queue ORDER BY id")]


def ledger(world: World) -> list[int]:
    """The changes that the ledger knows."""
    return [id_ for (id_,) in world.rows("SELECT change_id FROM orgstream.applied ORDER BY 1")]


def term(world: World) -> int:
    """The relay's term."""
    ((term,),) = world.rows("SELECT term FROM orgstream.lease WHERE stage = 'relay'")
    return int(term)


def end_range(world: World) -> None:
    """Let the time of the range in use be over, and end it."""
    upkeep = world.upkeep()
    upkeep.run(term(world), 0)  # sees that it is in use
    world.app.execute("UPDATE orgstream.change_range SET opened_at = opened_at - interval '30 days'")
    for _ in range(2):  # draws the rest of its ids, then sees that they are drawn
        world.clock.advance(100)
        upkeep.run(term(world), 0)
    assert world.rows("SELECT count(*) FROM orgstream.change_range WHERE closed_at IS NOT NULL") == [(1,)]


def age(world: World) -> None:
    """Let the ranges that have ended be old."""
    world.app.execute("UPDATE orgstream.change_range SET closed_at = closed_at - interval '30 days'")
