"""The partition streams: ids that rise, fences, groups, and every kind of loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.ports import Fenced, Stolen, StreamsFull, StreamsLost
from pipeline.redis.entry import Entry, Finished

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.side import Side, Streams

EVERY = range(4)
TERMS = {"filter": 5, "match": 5}


def entries(tick: int, count: int, first: int = 1) -> list[Entry]:
    return [Entry(b"%d-%d" % (tick, n), b"change", b'{"n": %d}' % n) for n in range(first, first + count)]


def ids(batch: list[Entry]) -> list[bytes]:
    return [entry.id for entry in batch]


@pytest.fixture
def streams(side: Side) -> Streams:
    """With partitions that a relay of term 3 has prepared."""
    made = side.streams()
    assert list(made.missing(EVERY)) == list(EVERY)
    assert made.prepare(EVERY, 3) == list(EVERY)
    return made


def read(streams: Streams, *partitions: int, count: int = 10, consumer: str = "c") -> dict[int, list[bytes]]:
    found = streams.read("changes", "filter", consumer, partitions or [0], count=count, block=None)
    return {partition: ids(batch) for partition, batch in found.items()}


def finish(streams: Streams, done: list[Entry], *, term: int = 5, onward: list[Entry] | None = None) -> None:
    finished = [Finished(0, term, ids(done), onward or [])]
    streams.acknowledge("filter", "changes", "kept" if onward is not None else None, finished)


class TestRelay:
    """The relay's end."""

    def test_what_is_prepared_is_there_and_stays(self, streams: Streams) -> None:
        streams.append({0: entries(1, 2)}, 3)
        assert streams.missing(EVERY) == []
        assert streams.prepare(EVERY, 3) == []
        assert streams.outstanding(4)[0] == 2

    def test_an_id_that_is_not_above_the_last_is_refused(self, streams: Streams) -> None:
        assert streams.append({0: entries(1, 2), 1: entries(1, 1)}, 3) == 3
        assert streams.append({0: entries(1, 3), 1: entries(1, 1)}, 3) == 1
        assert read(streams, 0, 1) == {0: [b"1-1", b"1-2", b"1-3"], 1: [b"1-1"]}
        assert read(streams) == {}

    def test_fresh_entries_that_are_there_are_somebody_elses(self, streams: Streams) -> None:
        streams.append({0: entries(2, 1)}, 3)
        with pytest.raises(StreamsLost):
            streams.append({0: entries(1, 2), 1: entries(1, 1)}, 3, fresh=True)
        assert streams.missing(EVERY) == [0]

    def test_a_lower_term_is_refused(self, side: Side, streams: Streams) -> None:
        later = side.streams()
        later.prepare(EVERY, 4)
        with pytest.raises(Fenced):
            streams.append({0: entries(1, 1)}, 3)
        with pytest.raises(Fenced):
            streams.prepare(EVERY, 3)
        later.append({0: entries(1, 1)}, 4)

    def test_what_one_partition_refuses_the_others_take(self, side: Side, streams: Streams) -> None:
        side.delete_fence(0)
        with pytest.raises(StreamsLost):
            streams.append({0: entries(1, 1), 1: entries(1, 1)}, 3)
        assert read(streams, 1) == {1: [b"1-1"]}

    def test_a_partition_that_lost_something_is_made_anew(self, side: Side, streams: Streams) -> None:
        streams.append({p: entries(1, 1) for p in EVERY}, 3)
        side.delete_stream(1, "matched")
        side.delete_fence(2)
        assert streams.missing(EVERY) == [1, 2]
        assert streams.prepare(EVERY, 3) == [1, 2]
        assert streams.missing(EVERY) == []
        assert streams.append({p: entries(1, 1) for p in EVERY}, 3) == 2
        assert read(streams, *EVERY) == {p: [b"1-1"] for p in EVERY}

    def test_a_redis_that_went_back_in_time_is_found_out(self, side: Side, streams: Streams) -> None:
        streams.append({0: entries(1, 1)}, 3)
        side.save()
        streams.append({0: entries(1, 1, first=2)}, 3)
        side.go_back()
        with pytest.raises(StreamsLost):
            streams.append({0: entries(1, 1, first=3)}, 3)

    def test_that_a_change_of_identity_is_under_way_is_remembered_with_it(
        self, side: Side, streams: Streams
    ) -> None:
        streams.append({0: entries(1, 1)}, 3, moving=True)
        assert side.streams().moving(EVERY)
        streams.forget_moves(EVERY)
        assert not streams.moving(EVERY)
        streams.append({0: entries(2, 1)}, 3, moving=True)
        side.delete_fence(0)
        assert not streams.moving(EVERY)

    def test_what_is_published_is_remembered_until_redis_is_lost(self, side: Side, streams: Streams) -> None:
        assert streams.published() is None
        streams.set_published(7)
        assert side.streams().published() == 7
        streams.set_published(None)
        assert streams.published() is None
        streams.set_published(8)
        side.flush()
        assert (streams.published(), streams.missing(EVERY)) == (None, list(EVERY))

    def test_a_full_redis_lets_workers_make_room(self, side: Side, streams: Streams) -> None:
        streams.append({0: entries(1, 2)}, 3)
        side.fill(full=True)
        with pytest.raises(StreamsFull):
            streams.append({0: entries(1, 1, first=3)}, 3)
        with pytest.raises(StreamsFull):
            streams.set_published(1)
        streams.set_published(None)
        streams.fence(0, TERMS, ["changes", "kept"])
        read(streams)
        finish(streams, entries(1, 2), onward=entries(1, 1))
        side.fill(full=False)
        assert streams.append({0: entries(1, 1, first=3)}, 3) == 1

    def test_what_lies_in_all_streams_counts(self, streams: Streams) -> None:
        assert streams.empty(4)
        streams.append({0: entries(1, 3), 3: entries(1, 1)}, 3)
        count, size = streams.outstanding(4)
        assert (count, size > 0, streams.empty(4)) == (4, True, False)
        streams.fence(0, TERMS, ["changes", "kept"])
        read(streams)
        finish(streams, entries(1, 3), onward=entries(1, 2))
        assert streams.outstanding(4)[0] == 3


class TestWorker:
    """A worker's end."""

    @pytest.fixture(autouse=True)
    def _fenced(self, streams: Streams) -> None:
        streams.append({0: entries(1, 4), 1: entries(1, 1)}, 3)
        streams.fence(0, TERMS, ["changes", "kept"])

    def test_each_entry_is_read_once(self, side: Side, streams: Streams) -> None:
        assert read(streams, 0, 1, count=3) == {0: [b"1-1", b"1-2", b"1-3"], 1: [b"1-1"]}
        finish(streams, entries(1, 3))
        assert read(side.streams(), 0, 1) == {0: [b"1-4"]}

    def test_entries_that_another_holds_are_older(self, side: Side, streams: Streams) -> None:
        read(streams, count=2)
        with pytest.raises(Stolen):
            read(side.streams(), consumer="other")

    def test_all_that_is_pending_is_reclaimed_in_order(self, side: Side, streams: Streams) -> None:
        read(streams, count=3)
        for consumer in ("new", "newer"):
            found, trimmed = side.streams().reclaim("changes", "filter", consumer, 0)
            assert (found, trimmed) == (entries(1, 3), [])
        finish(streams, entries(1, 2))
        assert ids(streams.reclaim("changes", "filter", "newer", 0)[0]) == [b"1-3"]

    def test_pending_entries_that_are_gone_are_named(self, side: Side, streams: Streams) -> None:
        read(streams, count=2)
        side.trim(0, "changes")
        assert streams.reclaim("changes", "filter", "new", 0) == ([], [b"1-1", b"1-2"])
        assert read(streams) == {}
        assert streams.append({0: entries(1, 4)}, 3) == 0  # the last id has stayed

    def test_entries_that_went_before_they_were_read_are_missed(self, side: Side, streams: Streams) -> None:
        read(streams, count=2)
        finish(streams, entries(1, 2))
        side.trim(0, "changes")
        streams.append({0: entries(2, 1)}, 3)
        with pytest.raises(StreamsLost):
            read(streams)
        assert 0 in streams.missing(EVERY)

    def test_what_is_finished_goes_on_and_is_trimmed(self, streams: Streams) -> None:
        read(streams)
        finish(streams, entries(1, 3), onward=entries(1, 1, first=2))
        kept = streams.read("kept", "match", "m", [0], count=10, block=None)
        assert kept == {0: entries(1, 1, first=2)}
        assert ids(streams.reclaim("changes", "filter", "c", 0)[0]) == [b"1-4"]

    def test_a_second_time_nothing_goes_on(self, streams: Streams) -> None:
        read(streams)
        for _ in range(2):
            finish(streams, entries(1, 2), onward=entries(1, 2))
        assert streams.outstanding(1)[0] == 4

    def test_a_lower_term_is_refused(self, side: Side, streams: Streams) -> None:
        read(streams)
        later = side.streams()
        later.fence(0, {"filter": 6}, ["changes"])
        with pytest.raises(Fenced):
            finish(streams, entries(1, 2), onward=entries(1, 2))
        with pytest.raises(Fenced):
            streams.fence(0, TERMS, ["changes", "kept"])
        assert streams.outstanding(1)[0] == 4
        finish(later, entries(1, 4), term=6)
        assert streams.outstanding(1)[0] == 0

    @pytest.mark.parametrize(
        "harm",
        [
            lambda side: side.flush(),
            lambda side: side.delete_fence(0),
            lambda side: side.delete_stream(0, "changes"),
        ],
        ids=["all", "fence", "stream"],
    )
    def test_what_is_lost_is_noticed(
        self, side: Side, streams: Streams, harm: Callable[[Side], None]
    ) -> None:
        read(streams)
        harm(side)
        with pytest.raises(StreamsLost):
            finish(streams, entries(1, 1))
        with pytest.raises(StreamsLost):
            streams.fence(0, TERMS, ["changes", "kept"])
        with pytest.raises(StreamsLost):
            streams.append({0: entries(2, 1)}, 3)

    def test_a_group_that_is_gone_is_noticed_and_begins_anew(self, side: Side, streams: Streams) -> None:
        read(streams)
        side.delete_group(0, "changes", "filter")
        with pytest.raises(StreamsLost):
            read(streams)
        with pytest.raises(StreamsLost):
            streams.reclaim("changes", "filter", "c", 0)
        streams.prepare(EVERY, 3)
        assert read(streams) == {0: [b"1-1", b"1-2", b"1-3", b"1-4"]}

    def test_a_partition_that_is_given_up_serves_nobody(self, streams: Streams) -> None:
        streams.give_up([0, 1])
        with pytest.raises(StreamsLost):
            streams.fence(0, TERMS, ["changes", "kept"])
        assert streams.missing(EVERY) == [0, 1]
