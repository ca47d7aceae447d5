"""Entries of another writer: told from ours, and never in the place of one of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.ports import StreamsLost
from pipeline.redis.entry import Entry, Finished

if TYPE_CHECKING:
    from tests.contract.side import Side, Streams

EVERY = range(4)
TERMS = {"filter": 5, "match": 5}


def entry(place: int, *, stray: bool = False) -> Entry:
    return Entry(b"1-%d" % place, b"change", b"{}", stray)


@pytest.fixture
def streams(side: Side) -> Streams:
    """One entry of ours in the first partition, and the workers' fences."""
    made = side.streams()
    made.missing(EVERY)
    made.prepare(EVERY, 3)
    made.fence(0, TERMS, ["changes", "kept"])
    made.append({0: [entry(1)]}, 3)
    return made


def read(streams: Streams, stream: str, group: str) -> list[tuple[bytes, bool]]:
    found = streams.read(stream, group, "c", [0], count=10, block=None)
    return [(one.id, one.stray) for one in found.get(0, [])]


def test_an_entry_beyond_our_last_is_a_stray(side: Side, streams: Streams) -> None:
    side.add_foreign(0, "changes", entry(2))
    assert read(streams, "changes", "filter") == [(b"1-1", False), (b"1-2", True)]
    pending, _ = streams.reclaim("changes", "filter", "other", 0)
    assert [(one.id, one.stray) for one in pending] == [(b"1-1", False), (b"1-2", True)]


def test_it_stays_one_in_the_next_stream(side: Side, streams: Streams) -> None:
    side.add_foreign(0, "changes", entry(2))
    read(streams, "changes", "filter")
    onward = [entry(1), entry(2, stray=True)]
    streams.acknowledge("filter", "changes", "kept", [Finished(0, 5, [b"1-1", b"1-2"], onward)])
    assert read(streams, "kept", "match") == [(b"1-1", False), (b"1-2", True)]


def test_where_it_took_an_id_of_ours_the_partition_is_given_up(side: Side, streams: Streams) -> None:
    side.add_foreign(0, "changes", entry(2))
    with pytest.raises(StreamsLost):
        streams.append({0: [entry(2), entry(3)], 1: [entry(4)]}, 3)
    assert streams.missing(EVERY) == [0]


def test_where_it_took_an_id_that_goes_on_the_partition_is_given_up(side: Side, streams: Streams) -> None:
    side.add_foreign(0, "kept", entry(1))
    read(streams, "changes", "filter")
    with pytest.raises(StreamsLost):
        streams.acknowledge("filter", "changes", "kept", [Finished(0, 5, [b"1-1"], [entry(1)])])
    assert streams.missing(EVERY) == [0]


def test_what_is_published_or_goes_on_again_is_none(streams: Streams) -> None:
    streams.append({0: [entry(2), entry(3)]}, 3)
    assert streams.append({0: [entry(1), entry(2)]}, 3) == 0
    assert streams.append({0: [entry(3), entry(4)]}, 3) == 1
    assert read(streams, "changes", "filter") == [(b"1-%d" % n, False) for n in (1, 2, 3, 4)]
    for _ in range(2):
        streams.acknowledge("filter", "changes", "kept", [Finished(0, 5, [b"1-1"], [entry(1)])])
    assert read(streams, "kept", "match") == [(b"1-1", False)]
