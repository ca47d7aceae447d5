"""Back-pressure: how much may still be published before the workers must catch up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pipeline.ports import RelayStreams


class Limits(msgspec.Struct, frozen=True):
    """How much the relay reads at a time and how much may lie in the streams."""

    partitions: int
    batch: int
    max_entries: int
    max_bytes: int


class Room:
    """The room left in the streams. They are looked at only when what was free then is used up."""

    def __init__(self, streams: RelayStreams, limits: Limits) -> None:
        self._streams = streams
        self._limits = limits
        self.entries = 0
        self.bytes = 0

    def left(self) -> bool:
        """Whether there is any. Raises what the streams raise."""
        if min(self.entries, self.bytes) > 0:
            return True
        entries, size = self._streams.outstanding(self._limits.partitions)
        self.entries = self._limits.max_entries - entries
        # An empty stream has a size too; what is alone in the streams may be as large as it is.
        self.bytes = self._limits.max_bytes - size if entries else self._limits.max_bytes
        return min(self.entries, self.bytes) > 0

    def take(self, entries: int, size: int) -> None:
        """So much was published."""
        self.entries -= entries
        self.bytes -= size

    def forget(self) -> None:
        """Look again before anything else is published."""
        self.entries = self.bytes = 0
