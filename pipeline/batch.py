"""Entries in hand: where each was read, and what the stages have made of it."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.leases import START
from pipeline.redis.entry import MARK, PASSAGE, Entry
from stages.filter import read_change, read_passage
from stages.passage import Passage, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.leases import EntryId

BATCH_BYTES: Final = 8 * 1024 * 1024
GATHERED: Final = 8  # so many times as much is read from a backlog that is better written in bulk


class Item(msgspec.Struct, gc=False):
    """One entry in hand. Without a passage nothing is to be done for it but to finish it.

    `order` is its id as a position; START where another writer's id tells none.
    """

    partition: int
    id: bytes
    order: tuple[int, int]
    passage: Passage | None = None
    mark: bytes | None = None  # a watermark: everything up to this time was published before it


def item_of(partition: int, entry: Entry, order: EntryId, version: int, done: EntryId) -> Item:
    """An entry in hand; `order` is its id, `version` the live rule set's, `done` how far the partition is
    applied.
    """
    if entry.stray:
        order = START
    if entry.field == MARK:
        return Item(partition, entry.id, order, None, entry.document)
    if START < order <= done:  # applied already: an entry published or delivered again
        return Item(partition, entry.id, order)
    read = read_passage if entry.field == PASSAGE else read_change
    return Item(partition, entry.id, order, read(entry.document, partition, version))


def onward(items: Sequence[Item]) -> list[Entry]:
    """What the next stage gets: the passages, the marks, and in any case a trace of the last entry."""
    entries: list[Entry] = []
    for item in items:
        stray = item.order == START
        if item.passage is not None:
            entries.append(Entry(item.id, PASSAGE, encode(item.passage), stray))
        elif item.mark or item is items[-1]:
            entries.append(Entry(item.id, MARK, item.mark or b"", stray))
    return entries


class BatchSize:
    """How many entries to read at a time: as many as told, but fewer when they are large.

    What was read last tells how large they are; a sudden change is bounded by what fits into the streams.
    """

    def __init__(self, entries: int) -> None:
        self._usual = entries
        self._most = entries
        self._entries = entries

    def of_each(self, partitions: int) -> int:
        """How many of each partition."""
        return max(1, self._entries // partitions)

    def learn(self, read: Mapping[int, Sequence[Entry]]) -> None:
        """Look at what was read."""
        count = sum(map(len, read.values()))
        size = sum(len(entry.document) for batch in read.values() for entry in batch)
        self._entries = max(1, min(self._most, BATCH_BYTES * count // max(size, 1)))

    def gather(self, *, bulk: bool) -> None:
        """Whether what was read is better written in bulk: then more is read at a time."""
        self._most = self._usual * GATHERED if bulk else self._usual


class Advance(msgspec.Struct, frozen=True):
    """How far an apply transaction brings one partition."""

    partition: int
    tick: int
    ordinal: int
    captured_at: str | None


def advances(items: Iterable[Item]) -> list[Advance]:
    """The last entry of each partition, and the latest capture time seen there."""
    batches = by_partition(items)
    return [
        Advance(partition, *_last(batch), _checked(next(filter(None, map(_time, reversed(batch))), None)))
        for partition, batch in batches.items()
    ]


def _last(batch: Sequence[Item]) -> EntryId:
    """The position that the items tell: the last one's, unless it is another writer's."""
    return next((item.order for item in reversed(batch) if item.order != START), START)


def by_partition(items: Iterable[Item]) -> dict[int, list[Item]]:
    """The items of each partition."""
    batches: defaultdict[int, list[Item]] = defaultdict(list)
    for item in items:
        batches[item.partition].append(item)
    return batches


def partitions_of(items: Sequence[Item]) -> dict[int, int]:
    """The partition of each change."""
    return {
        item.passage.change.id: item.partition
        for item in items
        if item.passage is not None and item.passage.change is not None
    }


def by_rules(items: Sequence[Item]) -> list[tuple[int | None, list[Item]]]:
    """The items in runs that one rule set decides; items without a passage belong to any."""
    versions = {item.passage.rules for item in items if item.passage is not None}
    if len(versions) == 1:  # nearly always
        return [(versions.pop(), list(items))]
    version: int | None = None

    def version_of(item: Item) -> int | None:
        nonlocal version
        if item.passage is not None:
            version = item.passage.rules
        return version

    return [(key, list(group)) for key, group in groupby(items, key=version_of)]


def _checked(time: str | None) -> str | None:
    """The time, unless another writer's entry says what is none: it shall become a letter, not stop us."""
    try:
        return time if time is None else datetime.fromisoformat(time).isoformat()
    except ValueError:
        return None


def _time(item: Item) -> str | None:
    if item.mark:
        return item.mark.decode("utf-8", "replace")
    if item.passage is not None and item.passage.change is not None:
        return item.passage.change.captured_at
    return None
