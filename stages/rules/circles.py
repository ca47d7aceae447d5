"""Circles among rules: tables from which a change can come back to where it began."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stages.rules.model import Rule, TableName

_TWO_WAYS = "a change goes over once, and is not sent back to the org that it came from"
_ROUND = "a change goes on from org to org, and never to one that it came through"


class Circle(msgspec.Struct, frozen=True):
    """Tables that lead to one another, the rules between them, and how that comes to rest."""

    tables: tuple[str, ...]
    rules: tuple[str, ...]
    settles: str


def circles(rules: Iterable[Rule]) -> tuple[Circle, ...]:
    """The circles of the enabled rules: each pair with rules both ways, and each larger group."""
    enabled = [rule for rule in rules if rule.enabled]
    leads: dict[TableName, set[TableName]] = {}
    for rule in enabled:
        leads.setdefault(rule.source, set()).add(rule.target)
    reached = {table: _reached(table, leads) for table in leads}
    groups = {
        frozenset({table, *(other for other in reached[table] if table in reached.get(other, ()))})
        for table in leads
        if table in reached[table]
    }
    pairs = {
        frozenset({rule.source, rule.target}) for rule in enabled if rule.source in leads.get(rule.target, ())
    }
    found = [_circle(tables, enabled, _TWO_WAYS) for tables in pairs]
    found += [_circle(tables, enabled, _ROUND) for tables in groups if len(tables) > 2]
    return tuple(sorted(found, key=lambda circle: (len(circle.tables), circle.tables)))


def _reached(start: TableName, leads: dict[TableName, set[TableName]]) -> set[TableName]:
    found: set[TableName] = set()
    ahead = [start]
    while ahead:
        new = leads.get(ahead.pop(), set()) - found
        found |= new
        ahead += new
    return found


def _circle(tables: frozenset[TableName], rules: list[Rule], settles: str) -> Circle:
    between = sorted(rule.name for rule in rules if {rule.source, rule.target} <= tables)
    return Circle(tuple(sorted(map(str, tables))), tuple(between), settles)
