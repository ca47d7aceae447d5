"""Entries of the partition streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

# The field of an entry says what its document is.
CHANGE: Final = b"change"  # as the relay publishes it
PASSAGE: Final = b"passage"  # as a stage hands it on
MARK: Final = b"mark"  # a watermark, or the trace of an entry that was left out


def order_of(id_: bytes) -> tuple[int, int]:
    """An entry's id as numbers: tick and ordinal."""
    tick, ordinal = id_.split(b"-")
    return int(tick), int(ordinal)


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One entry: its id `<tick>-<n>`, the field that says what it is, and the document.

    One that is `stray` has an id beyond all that we appended: another writer's, which tells no position.
    """

    id: bytes
    field: bytes
    document: bytes
    stray: bool = False

    @property
    def order(self) -> tuple[int, int]:
        """The id as numbers."""
        return order_of(self.id)


#: Entries by partition, the ids of each rising.
ByPartition = Mapping[int, Sequence[Entry]]


def strays_told(batch: Sequence[Entry], appended: bytes) -> list[Entry]:
    """The entries, with those told that lie beyond the last id that we appended."""
    last = order_of(appended)
    if not batch or batch[-1].order <= last:  # nearly always
        return list(batch)
    return [msgspec.structs.replace(entry, stray=entry.order > last) for entry in batch]


class Finished(msgspec.Struct, frozen=True):
    """What became of the entries that one partition's batch read."""

    partition: int
    term: int
    ids: list[bytes]
    onward: list[Entry] = []
