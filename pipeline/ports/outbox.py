"""The outbox, as the relay sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.publication import QueueRow
    from pipeline.ticker import Due
    from pipeline.ticks import Tick


class Look(NamedTuple):
    """A look at the outbox: where its ids stand, what is committed, whether newer transactions wrote."""

    position: int  # the change id last drawn
    snapshot: str
    news: bool  # transactions that began after the last tick have brought changes


class Outbox(Protocol):
    """The changes that capture wrote, and the ticks that cut them into batches."""

    def unpublished(self) -> list[Tick]:
        """The last published tick, and after it those taken but not published, by id."""
        ...

    def ticks_from(self, first: int) -> list[Tick]:
        """Every tick from one on, by id."""
        ...

    def look(self, last: Tick) -> Look:
        """What is there now, and whether it is more than `last` saw. It takes no tick."""
        ...

    def late_changes(self, xids: Sequence[int], after: int, position: int) -> bool:
        """Whether these transactions committed changes with ids above `after`, up to `position`."""
        ...

    def take(self, tick: int, position: int, term: int) -> Tick:
        """Commit a tick of this id. Raises Fenced unless `term` is the relay's."""
        ...

    def position_before(self, tick: int, xid: int) -> int:
        """A change id below all that transactions from `xid` on have drawn, as ticks up to `tick` tell."""
        ...

    def mark_published(self, tick: int, changes: int) -> None:
        """Note that a tick's whole batch, so many changes, stands in the streams."""
        ...

    def taken_at(self, tick: int) -> str:
        """When a tick was taken: everything committed before is in it or in one before it."""
        ...

    def change_at(self, due: Due, place: int) -> int | None:
        """The id of the change at a place of a tick's batch, counted from 1; None beyond the last."""
        ...

    def batch(self, due: Due, after: int, *, rows: int, size: int) -> list[QueueRow]:
        """The next of a tick's changes above an id, by id: what its snapshot sees and the previous does not.

        `rows` and `size` in bytes are limits, but one change comes in any case.
        """
        ...
