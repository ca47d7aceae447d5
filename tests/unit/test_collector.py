"""The cycle collector of a worker."""

from __future__ import annotations

import contextlib
import gc
import weakref
from typing import TYPE_CHECKING

import pytest

from pipeline.processes.collector import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator


class Node:
    """A node of a cycle."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collector() -> Iterator[Collector]:
    with contextlib.closing(Collector()) as collector:
        yield collector
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def collections() -> int:
    return sum(int(generation["collections"]) for generation in gc.get_stats())


@pytest.mark.usefixtures("collector")
def test_a_batch_in_hand_is_not_looked_through() -> None:
    before = collections()
    batch = [[number] for number in range(200_000)]
    assert collections() == before
    assert len(batch) == 200_000
    assert gc.get_freeze_count() > 0


def test_cycles_are_collected_between_batches(collector: Collector) -> None:
    node = weakref.ref(Node())
    assert node() is not None
    objects = [[number] for number in range(100_000)]
    collector.between_batches()
    assert node() is None
    assert len(objects) == 100_000


def test_few_objects_are_not_worth_a_look(collector: Collector) -> None:
    collector.between_batches()
    before = collections()
    collector.between_batches()
    assert collections() == before


def test_a_cycle_that_outlived_a_batch_is_found_too(collector: Collector) -> None:
    node = Node()
    known = weakref.ref(node)
    for round_ in range(60):
        objects = [[number] for number in range(60_000)]
        collector.between_batches()
        if round_ == 0:
            del node
        del objects
    assert known() is None
