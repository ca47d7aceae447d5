"""How many entries a worker reads at a time."""

from __future__ import annotations

from pipeline.batch import BATCH_BYTES, GATHERED, BatchSize
from pipeline.redis.entry import CHANGE, Entry


def read(count: int, size: int = 100) -> dict[int, list[Entry]]:
    """So many entries of one partition."""
    return {0: [Entry(b"1-1", CHANGE, b"x" * size)] * count}


def test_what_is_better_written_in_bulk_is_read_in_larger_batches() -> None:
    batch = BatchSize(100)
    assert batch.of_each(1) == 100
    batch.learn(read(100))
    batch.gather(bulk=True)
    batch.learn(read(100))
    assert batch.of_each(4) == 100 * GATHERED // 4
    batch.gather(bulk=False)
    batch.learn(read(100))
    assert batch.of_each(1) == 100


def test_a_larger_batch_has_no_more_bytes_than_any() -> None:
    batch = BatchSize(100)
    batch.gather(bulk=True)
    batch.learn(read(10, BATCH_BYTES // 20))
    assert batch.of_each(1) == 20
