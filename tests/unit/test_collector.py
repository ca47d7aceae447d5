"""The cycle collector of a worker."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from pipeline.processes.collector import relax_collector

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def collector() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


@pytest.mark.usefixtures("collector")
def test_a_batch_in_hand_is_not_looked_through() -> None:
    relax_collector()
    before = gc.get_stats()[0]["collections"]
    batch = [[number] for number in range(20_000)]
    assert gc.get_stats()[0]["collections"] - before <= 1
    assert len(batch) == 20_000
    assert gc.get_freeze_count() > 0


@pytest.mark.usefixtures("collector")
def test_cycles_are_still_collected() -> None:
    relax_collector()
    before = gc.get_stats()[0]["collections"]
    for _ in range(120_000):
        cycle: list[object] = []
        cycle.append(cycle)
    assert gc.get_stats()[0]["collections"] > before
