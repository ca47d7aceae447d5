"""Circles among rules: tables from which a change can come back to where it began."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stages.rules.rewrites import Rewrite, rewrites

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stages.rules.model import Rule, Table, TableName

_TWO_WAYS = "a change goes over once, and is not sent back to the org that it came from"
_ROUND = "a change goes on from org to org, and never to one that it came through"
_ECHOES = "; what comes back from Salesforce of what was written there is known for an echo"


class Circle(msgspec.Struct, frozen=True):
    """Tables that lead to one another, the rules between them, and how that comes to rest."""

    tables: tuple[str, ...]
    rules: tuple[str, ...]
    settles: str
    rewrites: tuple[Rewrite, ...] = ()  # of a pair: each org keeps its own form of these columns


def circles(rules: Iterable[Rule], tables: Iterable[Table] = ()) -> tuple[Circle, ...]:
    """The circles of the enabled rules: each pair with rules both ways, and each larger group."""
    known = tuple(tables)
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
    found = [_circle(names, enabled, known, _TWO_WAYS) for names in pairs]
    found += [_circle(names, enabled, known, _ROUND) for names in groups if len(names) > 2]
    return tuple(sorted(found, key=lambda circle: (len(circle.tables), circle.tables)))


def _reached(start: TableName, leads: dict[TableName, set[TableName]]) -> set[TableName]:
    found: set[TableName] = set()
    ahead = [start]
    while ahead:
        new = leads.get(ahead.pop(), set()) - found
        found |= new
        ahead += new
    return found


def _circle(
    names: frozenset[TableName], rules: list[Rule], tables: tuple[Table, ...], settles: str
) -> Circle:
    between = [rule for rule in rules if {rule.source, rule.target} <= names]
    found: tuple[Rewrite, ...] = ()
    if len(names) == 2:
        first = min(names)
        there = [rule for rule in between if rule.source == first != rule.target]
        back = [rule for rule in between if rule.target == first != rule.source]
        found = tuple(rewrites(there, back, tables))
    if any(table.name in names and table.connector == "heroku-connect" for table in tables):
        settles += _ECHOES
    return Circle(tuple(sorted(map(str, names))), tuple(sorted(r.name for r in between)), settles, found)
