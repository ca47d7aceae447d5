"""The tables whose rows changes may wait for, and the columns by which those rows are recognised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.rules.referring import Referring

if TYPE_CHECKING:
    from stages.rules.model import RuleSet, Table

_Name = tuple[str, str]  # schema, table


def awaited_tables(rule_set: RuleSet) -> dict[_Name, frozenset[tuple[str, ...]]]:
    """What the enabled rules may wait for: the columns of each lookup and foreign key, by table.

    Of tables alone: nothing can tell of a view's rows, and they are found by looking.
    """
    tables = {table.name: table for table in rule_set.tables}
    referring = Referring(rule_set.rules, tables)
    found: dict[_Name, set[tuple[str, ...]]] = {}
    for rule in rule_set.rules:
        if not rule.enabled:
            continue
        for mapping in rule.map.values():
            if mapping.lookup is not None and (mapping.missing or "wait") == "wait":
                table = referring.named[mapping.lookup]
                if table.is_table:
                    found.setdefault(_name(table), set()).add(tuple(mapping.where or ()))
        for key in referring.foreign_keys(rule):
            found.setdefault(_name(key.table), set()).add(key.where)
    return {name: frozenset(keys) for name, keys in found.items()}


def _name(table: Table) -> _Name:
    return table.name.schema, table.name.name
