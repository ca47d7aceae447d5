"""Publishing a tick's batch piece by piece: what waits, what is passed over, and what is still in hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.publication import Moves, Publication
from pipeline.redis import keys
from pipeline.ticker import Due
from pipeline.ticks import Tick

if TYPE_CHECKING:
    from pipeline.publication import QueueRow

PARTITIONS = 4
A = b"t1"
B = next(
    route
    for n in range(2, 99)
    if keys.partition_of(route := b"t%d" % n, PARTITIONS) != keys.partition_of(A, PARTITIONS)
)
#: An insert under the new key, a move onto it once it is free, and what comes after that.
ROWS: tuple[QueueRow, ...] = ((11, B, None, b"{}"), (12, B, A, b"{}"), (13, B, None, b"{}"))


def publication(applied: dict[int, tuple[int, int]] | None = None, *, published: bool = False) -> Publication:
    tick = Tick(7, "9:9:", 13, published=published)
    made = Publication(Due(Tick(6, "5:5:", 10, published=True), tick, after=10, fresh=not published), applied)
    made.read = ROWS
    return made


def ids(made: Publication, moves: Moves, *anew: int) -> tuple[list[bytes], bool]:
    """The ids that go out in one piece, and whether the row after them waits."""
    routed = made.route(moves, PARTITIONS, set(anew))
    made.published(routed.rows)
    return sorted(entry.id for batch in routed.entries.values() for entry in batch), routed.waits


def test_what_was_read_is_kept_while_a_move_waits() -> None:
    made, moves = publication(), Moves()
    moves.emptied()
    seen = []
    while made.read:
        seen.append((*ids(made, moves), made.after, len(made.read)))
        moves.emptied()
    assert seen == [([b"7-1"], True, 11, 2), ([b"7-2"], True, 12, 1), ([b"7-3"], False, 13, 0)]


def test_what_has_taken_effect_is_passed_over_without_waiting() -> None:
    of_a, of_b = (keys.partition_of(route, PARTITIONS) for route in (A, B))
    made = publication({of_a: (7, 2), of_b: (7, 2)}, published=True)
    assert ids(made, Moves(), of_a, of_b) == ([b"7-3"], False)


def test_a_move_that_still_stands_in_its_stream_is_waited_for() -> None:
    of_a, of_b = (keys.partition_of(route, PARTITIONS) for route in (A, B))
    made, moves = publication({of_a: (6, 9), of_b: (7, 1)}, published=True), Moves()
    moves.emptied()
    assert ids(made, moves, of_b) == ([], True)  # 7-2 was published before, and nobody knows how far it is


@pytest.mark.parametrize(
    ("applied", "done"),
    [
        ({}, 0),
        ({0: (7, 2), 1: (7, 3)}, 2),
        ({0: (7, 2), 1: (6, 9)}, 0),
        ({0: (7, 2), 1: (8, 1)}, 2),
        ({0: (8, 2), 1: (8, 1)}, 0),
    ],
)
def test_how_much_has_taken_effect_in_every_partition(applied: dict[int, tuple[int, int]], done: int) -> None:
    assert publication(applied).applied == done
