"""What tests of the relay look at: which changes stand in the streams, in which order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pipeline.redis import keys
from pipeline.topology import STREAMS

if TYPE_CHECKING:
    from tests.fixtures.world import World

# The values of `name` by record, in the order in which they were published.
History = dict[str, list[str]]


def changes(world: World) -> list[tuple[str, int]]:
    """Entry id and change id of everything in the streams, by partition."""
    return [
        (id_, json.loads(document)["id"])
        for entries in world.entries().values()
        for id_, field, document in entries
        if field == "change"
    ]


def published_ids(world: World) -> list[int]:
    """The change ids in the streams, sorted: each of them once, unless something is wrong."""
    return sorted(change for _, change in changes(world))


def captured_ids(world: World) -> list[int]:
    """The change ids in the outbox."""
    return [id_ for (id_,) in world.rows("SELECT id FROM orgstream.change_queue ORDER BY id")]


def take_all(world: World, seen: History | None = None) -> History:
    """Consume the streams as a worker would, without its effect: what each record became, in order."""
    history: History = {} if seen is None else seen
    for partition, entries in world.entries().items():
        for id_, field, document in entries:
            if field == "change":
                change = json.loads(document)
                row = change["after"] or change["before"]
                history.setdefault(row["ext_id"], []).append(row["name"])
            world.app.execute(
                "INSERT INTO orgstream.lease (stage, partition) VALUES ('apply', %s) ON CONFLICT DO NOTHING",
                [partition],
            )
            world.app.execute(
                "UPDATE orgstream.lease SET position_tick = %s, position_ordinal = %s"
                " WHERE stage = 'apply' AND partition = %s",
                [*map(int, id_.split("-")), partition],
            )
        for stream in STREAMS:
            world.redis.xtrim(keys.stream(partition, stream), maxlen=0, approximate=False)
    return history


def numbered(world: World, count: int, *, record: str = "a", first: int = 1) -> None:
    """So many changes of one record, each in its own transaction."""
    for number in range(first, first + count):
        world.app.execute(
            "INSERT INTO emea.account (ext_id, name) VALUES (%s, %s)"
            " ON CONFLICT (ext_id) DO UPDATE SET name = excluded.name",
            [record, str(number)],
        )
