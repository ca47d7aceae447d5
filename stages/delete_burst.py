"""Mass deletes: how many deletes of a rule within a minute are too many, and which ones belong together."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from stages.change import Change, Operation
from stages.rules.model import DeleteLimit, Rule
from stages.write import Action, Write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_DELETED: Final = Operation.DELETE  # the members themselves: every write is asked
_DELETE: Final = Action.DELETE
#: The time within which deletes are counted together, in seconds.
WINDOW: Final = 60
#: The limit of rules that state none.
DEFAULT: Final = DeleteLimit(1_000, 0.2)
#: Of a small table a share is soon reached: by default so few deletes are never a mass.
FEW: Final = 20


class Span(msgspec.Struct, frozen=True):
    """From one second to another, both included; seconds since 1970 by the capture."""

    since: int
    until: int

    def near(self, other: Span) -> bool:
        """Whether there is less than a window between them."""
        return self.since - WINDOW < other.until and other.since - WINDOW < self.until

    def has(self, second: int) -> bool:
        """Whether the second is one of them."""
        return self.since <= second <= self.until


class Burst(msgspec.Struct, frozen=True):
    """A mass delete that was found: its letter, and what a person has said of it.

    It is `open`, or `approved`; `closed` where it was refused or every record came back.
    """

    letter: int
    rule: int
    span: Span
    state: Literal["open", "approved", "closed"]


def is_guarded(change: Change, write: Write) -> bool:
    """Whether a write is what becomes of a delete, or a delete itself."""
    return change.operation is _DELETED or write.action is _DELETE


def second_of(change: Change) -> int:
    """When the change was captured, to the second; 0 where another writer's entry says no time."""
    try:
        return int(datetime.fromisoformat(change.captured_at).timestamp())
    except ValueError:
        return 0


def limit_of(rule: Rule) -> tuple[DeleteLimit, int]:
    """The rule's limit, and how many deletes are none in any case."""
    return (DEFAULT, FEW) if rule.max_deletes is None else (rule.max_deletes, 0)


def is_limited(rule: Rule) -> bool:
    """Whether any number of deletes would be too many."""
    return rule.max_deletes != DeleteLimit()


def allowed(limit: DeleteLimit, few: int, records: int | None) -> int | None:
    """How many deletes go through within a window; None: any number. `records`: of the target, if counted."""
    by_share = None if limit.share is None or records is None else max(few, int(limit.share * records))
    parts = [part for part in (limit.count, by_share) if part is not None]
    return min(parts) if parts else None


def masses(counts: Mapping[int, int], most: int) -> list[Span]:
    """The spans in which more than `most` deletes lie within one window; `counts` are by second."""
    seconds = sorted(counts)
    found: list[Span] = []
    first, within = 0, 0
    for second in seconds:
        within += counts[second]
        while seconds[first] <= second - WINDOW:
            within -= counts[seconds[first]]
            first += 1
        if within > most:
            span = Span(seconds[first], second)
            if found and span.since <= found[-1].until:
                span = Span(found.pop().since, span.until)
            found.append(span)
    return found


def without(counts: Mapping[int, int], settled: Iterable[Burst]) -> dict[int, int]:
    """The counts, but for what a person, or the records' return, has settled already."""
    bursts = list(settled)
    return {
        second: count
        for second, count in counts.items()
        if not any(burst.span.has(second) for burst in bursts)
    }
