"""Another writer's entry under an id that a change of ours was to have, in the middle of a tick."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.redis import keys
from pipeline.topology import STAGES, STREAMS
from tests.fixtures.orgs import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fixtures.world import World

ANY: Final = RULES.replace('when = "active"', "max_deletes = false")
FUSED: Final = (",".join(STAGES),)


@pytest.mark.parametrize(
    ("stages", "stream"),
    [pytest.param(FUSED, "changes", id="fused"), *((STAGES, stream) for stream in STREAMS)],
)
def test_it_takes_the_place_of_no_change(world: World, stages: Sequence[str], stream: str) -> None:
    world.apply_rules(ANY)
    a, b = partitioned_apart()
    relay, workers = world.relay(), [world.worker(names) for names in stages]
    world.app.execute("INSERT INTO emea.account (ext_id, name) VALUES (%s, 'a'), (%s, 'b')", [a, b])
    world.settle(relay, *workers)
    with world.app.transaction():
        world.app.execute("UPDATE emea.account SET name = 'one' WHERE ext_id = %s", [a])
        world.app.execute("DELETE FROM emea.account WHERE ext_id = %s", [b])
        world.app.execute("UPDATE emea.account SET ext_id = %s WHERE ext_id = %s", [b, a])
    for _ in range(3):
        relay.step()
    assert relay.waiting  # with the change of key, until the streams are empty
    add_copies(world, keys.partition_of(route(a), world.settings.partitions), stream)
    world.settle(*workers)
    for _ in range(3):
        world.settle(relay, *workers)
        world.clock.advance(2)
    assert world.rows("SELECT ext_id, name FROM us.account") == [(b, "ONE")]
    assert world.outstanding() == 0


def add_copies(world: World, partition: int, stream: str) -> None:
    """Copies of the last change in a partition, under the ids that follow, in one of its streams."""
    published = [one for one in world.entries()[partition] if one[1] == "change"]
    id_, field, document = published[-1]
    tick, ordinal = map(int, id_.split("-"))
    if stream != "changes":
        field, document = "passage", json.dumps({"rules": 1, "change": json.loads(document)}).encode()
    for ahead in (1, 2):
        world.redis.xadd(keys.stream(partition, stream), {field: document}, id=f"{tick}-{ordinal + ahead}")


def route(key: str) -> bytes:
    return f'emea.account{{"ext_id" : "{key}"}}'.encode()


def partitioned_apart() -> tuple[str, str]:
    """Two records of different partitions, of four."""
    first, *others = [f"k{number}" for number in range(20)]
    of_first = keys.partition_of(route(first), 4)
    return first, next(key for key in others if keys.partition_of(route(key), 4) != of_first)
