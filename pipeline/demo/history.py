"""What one rule owed its target: the states that each record should have gone through, change by change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pipeline.demo.order import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stages.rules.model import Rule


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """One row of the query `transitions`. `met_after` is None where the record was deleted."""

    change: int
    key: str
    met_before: bool
    met_after: bool | None
    image: State
    settled: State  # what `on_delete` or `on_unmatched` sets, if that is what it does


class History(msgspec.Struct):
    """By target key the states in order, and all changes that had to be written."""

    states: dict[str, list[State]] = {}
    changes: dict[int, str] = {}  # change id -> key

    def last(self, key: str) -> State:
        """What the target has to hold under a key."""
        states = self.states.get(key)
        return states[-1] if states else None


def follow(rule: Rule, seen: Iterable[Seen]) -> History:
    """Go through a rule's changes, oldest first."""
    history = History()
    for one in seen:
        state, is_written = _after(rule, one, history.last(one.key))
        if is_written:
            history.changes[one.change] = one.key
            history.states.setdefault(one.key, []).append(state)
    return history


def _after(rule: Rule, seen: Seen, state: State) -> tuple[State, bool]:
    """The state after a change, and whether the rule writes anything for it."""
    if seen.met_after:
        return seen.image, True
    policy: Any = rule.on_delete if seen.met_after is None else rule.on_unmatched
    if policy == "delete":
        return None, True
    if isinstance(policy, str):  # ignore, leave
        return state, False
    return None if state is None else {**state, **(seen.settled or {})}, True
