"""The board in Redis: names are few, and what a process counted is not lost with it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from pipeline.metrics import Metrics, StageMetrics
from pipeline.metrics.everyone import together
from pipeline.metrics.registry import exposition
from pipeline.metrics.telling import last_words, telling_of
from pipeline.observation import read_tellings
from pipeline.process import Process
from pipeline.processes.herald import Recent
from pipeline.redis.board import Board
from pipeline.redis.connection import open_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis


@pytest.fixture
def client(every_redis_url: str) -> Iterator[redis.Redis]:
    with contextlib.closing(open_client(every_redis_url, timeout=10)) as client:
        yield client


def worker(id_: str, batches: int = 0) -> tuple[Process, Metrics]:
    metrics = Metrics()
    for _ in range(batches):
        StageMetrics(metrics, "filter").received(10)
    return Process(id_, "worker", "host", 1, ("filter",)), metrics


def test_names_are_used_again(client: redis.Redis) -> None:
    board = Board(client)
    assert board.post("a", "worker", b"1", seconds=60) == "worker.1"
    assert board.post("b", "worker", b"2", seconds=0) == "worker.2"
    assert board.post("r", "relay", b"3", seconds=60) == "relay.1"
    assert board.post("a", "worker", b"4", name="worker.1", seconds=60) == "worker.1"
    wait_for_the_next_millisecond(client)
    assert board.post("c", "worker", b"5", seconds=60) == "worker.2"  # b has been silent for too long
    assert board.read() == {"relay.1": b"3", "worker.1": b"4", "worker.2": b"5"}


def wait_for_the_next_millisecond(client: redis.Redis) -> None:
    began = client.time()
    while client.time() < (began[0], began[1] + 2_000):
        pass


def test_names_do_not_grow_with_restarts(client: redis.Redis) -> None:
    board = Board(client)
    for number in range(50):
        board.post(f"start {number}", "worker", b"x", seconds=0)
        wait_for_the_next_millisecond(client)
    assert set(board.read()) <= {"worker.1", "worker.2"}
    assert client.hlen("orgstream:{board}:documents") <= 2


def test_each_takes_its_name_back_when_redis_was_emptied(client: redis.Redis) -> None:
    board = Board(client)
    board.post("a", "worker", b"", seconds=60)
    assert board.post("b", "worker", b"", seconds=60) == "worker.2"
    client.flushall()
    assert board.post("b", "worker", b"", name="worker.2", seconds=60) == "worker.2"
    assert board.post("a", "worker", b"", name="worker.1", seconds=60) == "worker.1"


def test_two_that_claim_one_name_are_told_apart(client: redis.Redis) -> None:
    board = Board(client)
    assert board.post("a", "worker", b"", name="worker.1", seconds=60) == "worker.1"
    assert board.post("b", "worker", b"", name="worker.1", seconds=60) == "worker.2"


def test_a_full_redis_still_takes_what_processes_tell(client: redis.Redis) -> None:
    before = str(client.config_get("maxmemory")["maxmemory"])
    board = Board(client)
    client.config_set("maxmemory", 1)
    try:
        assert board.post("a", "worker", b"x" * 100, seconds=60) == "worker.1"
    finally:
        client.config_set("maxmemory", before)


def test_the_metrics_of_all_are_together_and_told_apart(client: redis.Redis) -> None:
    board = Board(client)
    for id_, batches in (("a", 1), ("b", 3)):
        process, metrics = worker(id_, batches)
        telling = telling_of(process, metrics.counted())
        board.post(id_, "worker", telling.encode(), seconds=60)
    text = exposition(together(read_tellings(client))).decode()
    assert 'orgstream_entries_received_total{process="worker.1",stage="filter"} 10.0' in text
    assert 'orgstream_entries_received_total{process="worker.2",stage="filter"} 30.0' in text
    assert text.count("# TYPE orgstream_entries_received_total counter") == 1
    assert 'process_resident_memory_bytes{process="worker.1"}' in text


def test_what_cannot_be_read_is_left_out(client: redis.Redis) -> None:
    Board(client).post("a", "worker", b"of another version", seconds=60)
    assert read_tellings(client) == {}


def test_the_last_words_hold_what_was_counted_and_nothing_of_the_moment() -> None:
    process, metrics = worker("a", 2)
    told = {metric.name: metric for metric in last_words(telling_of(process, metrics.counted())).metrics}
    assert told["orgstream_entries_received"].samples[0].value == 20
    assert "orgstream_batch_entries" in told
    assert not {"orgstream_entries_in_progress", "process_resident_memory_bytes"} & set(told)


def test_rates_are_of_about_the_last_minute() -> None:
    times = iter((0.0, 10.0, 60.0, 120.0, 180.0))
    recent = Recent(lambda: next(times))
    counts = (0.0, 100.0, 100.0, 700.0, 700.0)
    rates = [recent.rates({"writes": {"rule": count}})["writes"]["rule"] for count in counts]
    assert rates == [0.0, 10.0, pytest.approx(100 / 60), 10.0, 0.0]
