"""The plan: what `rules apply` would change, and how many records that touches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.rules import store
from pipeline.rules.touched import Counter, Touched
from stages.rules.capture import CaptureChanges, capture_changes
from stages.rules.circles import Circle, circles
from stages.rules.difference import Difference, difference

if TYPE_CHECKING:
    import psycopg

    from stages.rules.model import RuleSet

#: How long one count may take, in seconds, before it is estimated from a sample.
COUNT_SECONDS: Final = 5.0
_NOT_COUNTED: Final = Touched(unknown="not counted")


class Plan(msgspec.Struct, frozen=True):
    """What applying a candidate would do. `touched` has the records by rule, for every rule that differs."""

    live_version: int
    difference: Difference
    capture: CaptureChanges
    touched: dict[str, Touched]
    circles: tuple[Circle, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether `rules apply` would change nothing."""
        return self.difference.is_empty and not (self.capture.install or self.capture.remove)

    def as_data(self) -> dict[str, Any]:
        """The plan as plain data, for JSON."""
        found = self.difference.as_data()
        for rule in found["rules"]:
            rule["records"] = msgspec.to_builtins(self.touched.get(rule["name"], _NOT_COUNTED))
        return {
            "live_version": self.live_version,
            "empty": self.is_empty,
            **found,
            "capture": msgspec.to_builtins(self.capture),
            "circles": msgspec.to_builtins(self.circles),
        }


def plan(
    connection: psycopg.Connection, candidate: RuleSet, *, count_seconds: float | None = COUNT_SECONDS
) -> Plan:
    """Compare a validated candidate with what is live. Changes nothing.

    A count that takes longer than `count_seconds` is estimated from a sample; with None nothing is counted.
    """
    live = store.live(connection)
    found = difference(live, store.as_applied(connection, candidate))
    touched: dict[str, Touched] = {}
    if count_seconds is not None:
        counter = Counter(connection, count_seconds)
        touched = {change.rule.name: counter.count(change, candidate) for change in found.rules}
    capture = capture_changes(candidate, store.captured(connection))
    version = live.version if live else 0
    return Plan(version, found, capture, touched, circles(candidate.rules, candidate.tables))
