"""The partition streams, as the relay and as a worker see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.redis.entry import ByPartition, Entry, Finished


class RelayStreams(Protocol):
    """The streams, as the relay uses them. Every effect on a partition is refused to a lower term."""

    def missing(self, partitions: Iterable[int]) -> list[int]:
        """The partitions of which something is gone."""
        ...

    def forget(self) -> None:
        """A term begins: what we appended before may have been followed by another relay's."""
        ...

    def prepare(self, partitions: Iterable[int], term: int) -> list[int]:
        """Raise the relay's fence; the partitions that lacked something and are empty now. Raises Fenced."""
        ...

    def append(self, entries: ByPartition, term: int, *, fresh: bool = False, moving: bool = False) -> int:
        """Publish entries by partition, ids rising; how many were new: an id not above the last is not.

        `fresh` entries must all be. `moving` is remembered for the relay after us.
        Raises StreamsLost, Fenced, StreamsFull.
        """
        ...

    def give_up(self, partitions: Iterable[int]) -> None:
        """Declare partitions lost: nobody uses their streams until they were made anew."""
        ...

    def published(self) -> int | None:
        """The last tick that stands in the streams as a whole; None when nobody knows, also because the
        server was started anew since and may have gone back in time.
        """
        ...

    def set_published(self, tick: int | None) -> None:
        """Remember it."""
        ...

    def moving(self, partitions: Iterable[int]) -> bool:
        """Whether a change of identity may lie in the streams."""
        ...

    def forget_moves(self, partitions: Iterable[int]) -> None:
        """Remember that none does."""
        ...

    def outstanding(self, partitions: int) -> tuple[int, int]:
        """Entries not yet acknowledged in all streams, and the bytes they take."""
        ...

    def empty(self, partitions: int) -> bool:
        """Whether everything published is finished."""
        ...


class WorkerStreams(Protocol):
    """The streams, as a worker uses them. What it adds or finishes is refused to a lower term."""

    def fence(self, partition: int, terms: Mapping[str, int], streams: Iterable[str]) -> None:
        """Raise the fences of a worker's stages. Raises StreamsLost, Fenced."""
        ...

    def read(
        self,
        stream: str,
        group: str,
        consumer: str,
        partitions: Sequence[int],
        *,
        count: int,
        block: float | None,
    ) -> dict[int, list[Entry]]:
        """New entries by partition, `count` of each at most; waits up to `block` seconds for the first.

        Raises StreamsLost, and Stolen where older entries than those are pending.
        """
        ...

    def reclaim(
        self, stream: str, group: str, consumer: str, partition: int
    ) -> tuple[list[Entry], list[bytes]]:
        """All pending entries, whoever held them, now ours; and the ids of those trimmed since."""
        ...

    def acknowledge(self, stage: str, stream: str, onward: str | None, finished: Sequence[Finished]) -> None:
        """Hand on, acknowledge and trim, in one step for each partition. Raises StreamsLost, Fenced."""
        ...

    def give_up(self, partitions: Iterable[int]) -> None:
        """Declare partitions lost: nobody uses their streams until the relay has made them anew."""
        ...
