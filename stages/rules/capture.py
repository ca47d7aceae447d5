"""Which tables need capture, and what to install and remove to come there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stages.rules.model import RuleSet


class Captured(msgspec.Struct, frozen=True, order=True):
    """A table with capture (as it is, or as it should be)."""

    schema: str
    table: str
    identity: tuple[str, ...]
    is_installed: bool = True

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"


class CaptureChanges(msgspec.Struct, frozen=True):
    """The difference between the tables captured and those that should be."""

    install: tuple[Captured, ...] = ()
    remove: tuple[Captured, ...] = ()


def needed(rule_set: RuleSet) -> list[Captured]:
    """The source tables of enabled rules, in the order of their names."""
    sources = {rule.source for rule in rule_set.rules if rule.enabled}
    return sorted(
        Captured(table.name.schema, table.name.name, table.identity)
        for table in rule_set.tables
        if table.name in sources
    )


def capture_changes(rule_set: RuleSet, captured: Iterable[Captured]) -> CaptureChanges:
    """What to install (or renew: the identity differs, or the triggers are gone) and what to remove."""
    present = list(captured)
    wanted = needed(rule_set)
    names = {(table.schema, table.table) for table in wanted}
    return CaptureChanges(
        install=tuple(table for table in wanted if table not in present),
        remove=tuple(table for table in present if (table.schema, table.table) not in names),
    )
