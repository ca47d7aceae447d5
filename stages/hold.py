"""Holding: while a change of a record lies as a dead letter, or waits, its later changes wait behind it.

A hold is for one rule and one record; all other records, and the record under other rules, go on. A rule
that is paused holds every change.
"""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from stages.reject import Cause, Reject
from stages.wait import Wait

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stages.change import Change

EVERY_RULE: Final = 0  # the row could not be read, so no rule can go on with the record
_NONE: Final = b"null"


class Block(NamedTuple):
    """A record that is held under a rule; the key is its identity as JSON text."""

    rule: int
    table: str
    key: bytes


class Held(msgspec.Struct, frozen=True):
    """A change that waits under a rule, behind a letter or a wait: one that stands, or is being written."""

    change_id: int
    rule: int
    behind: int | Reject | Wait | None  # None: the rule is paused


class Paused(msgspec.Struct, frozen=True):
    """The rules that are paused, and those that are no more but still have held changes in a partition."""

    rules: frozenset[int] = frozenset()
    lingering: frozenset[tuple[int, int]] = frozenset()  # (rule, partition)

    @property
    def any(self) -> bool:
        """Whether any rule is concerned."""
        return bool(self.rules or self.lingering)

    def holds(self, rule: int, partition: int | None) -> bool:
        """Whether a change of this partition has to wait: what was held before it goes first."""
        return rule in self.rules or (rule, partition) in self.lingering


NOTHING_PAUSED: Final = Paused()


class Holds:
    """Which records are held: those known before the batch, and those that the batch adds."""

    def __init__(
        self,
        known: Mapping[Block, int],
        paused: Paused = NOTHING_PAUSED,
        partitions: Mapping[int, int] | None = None,
    ) -> None:
        self._known = known
        self._guarded: Mapping[tuple[int, int], int] = {}
        self._paused = paused
        self._partitions = partitions or {}
        self.added: dict[Block, int | Reject | Wait] = {}
        self.held: list[Held] = []
        self.any = bool(known) or paused.any  # whether anything is held at all; mostly nothing is

    def guard(self, held: Mapping[tuple[int, int], int], waiting: Mapping[Block, int]) -> None:
        """Hold single changes under a rule too, each behind a letter, and records that wait behind one."""
        self._guarded = held
        self.any = self.any or bool(held or waiting)
        if waiting:
            self._known = ChainMap(dict(waiting), self._known)  # type: ignore[arg-type]  # it is only read

    def would_hold(self, change: Change, rule: int) -> bool:
        """Whether the change has to wait under this rule, without noting it."""
        return self._behind(change, rule) is not None or self._paused.holds(
            rule, self._partitions.get(change.id)
        )

    def hold(self, change: Change, rule: int) -> bool:
        """Whether the change has to wait under this rule; then it is noted, and a new key waits with it."""
        behind = self._behind(change, rule) or self._guarded.get((change.id, rule))
        if behind is None and not self._paused.holds(rule, self._partitions.get(change.id)):
            return False
        self.held.append(Held(change.id, rule, behind))
        if behind is not None and (bytes(change.old_key) != _NONE or (change.id, rule) in self._guarded):
            self.added[Block(rule, table_of(change), bytes(change.key))] = behind
        return True

    def begin(self, change: Change, reject: Reject | Wait) -> None:
        """A letter is being written, or a wait begins: hold what comes after it.

        Without a key nothing was ever written of the record, and its next change may well have one.
        """
        if reject.cause is Cause.NO_KEY:
            return
        self.any = True
        for key in keys_of(change):
            self.added[Block(reject.rule_id or EVERY_RULE, table_of(change), key)] = reject

    def _behind(self, change: Change, rule: int) -> int | Reject | Wait | None:
        if not (self._known or self.added):
            return None
        table = table_of(change)
        for key in keys_of(change):
            for one in (rule, EVERY_RULE):
                block = Block(one, table, key)
                behind = self.added.get(block) or self._known.get(block)
                if behind is not None:
                    return behind
        return None


def table_of(change: Change) -> str:
    """schema.table of the record."""
    return f"{change.schema}.{change.table}"


def keys_of(change: Change) -> list[bytes]:
    """The record's identities: before the change, where it changed it, and after."""
    return [key for key in (bytes(change.old_key), bytes(change.key)) if key != _NONE]
