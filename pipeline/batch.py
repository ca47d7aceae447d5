"""Entries in hand: where each was read, and what the stages have made of it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from stages.passage import Passage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Item(msgspec.Struct, gc=False):
    """One entry in hand. Without a passage nothing is to be done for it but to finish it."""

    partition: int
    id: bytes
    order: tuple[int, int]
    passage: Passage | None = None
    mark: bytes | None = None  # a watermark: everything up to this time was published before it


class Advance(msgspec.Struct, frozen=True):
    """How far an apply transaction brings one partition."""

    partition: int
    tick: int
    ordinal: int
    captured_at: str | None


def advances(items: Iterable[Item]) -> list[Advance]:
    """The last entry of each partition, and the latest capture time seen there."""
    latest: dict[int, Advance] = {}
    for item in items:
        known = latest.get(item.partition)
        time = _time(item) or (known.captured_at if known else None)
        latest[item.partition] = Advance(item.partition, *item.order, time)
    return list(latest.values())


def by_rules(items: Sequence[Item]) -> list[tuple[int | None, list[Item]]]:
    """The items in runs that one rule set decides; items without a passage belong to any."""
    version: int | None = None

    def version_of(item: Item) -> int | None:
        nonlocal version
        if item.passage is not None:
            version = item.passage.rules
        return version

    return [(key, list(group)) for key, group in groupby(items, key=version_of)]


def _time(item: Item) -> str | None:
    if item.mark:
        return item.mark.decode()
    if item.passage is not None and item.passage.change is not None:
        return item.passage.change.captured_at
    return None
