"""One declared rule against the catalogue: its tables, its expressions, its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stages.rules.declared import DeclaredRule, DeclaredSet
from stages.rules.expressions import Expressions
from stages.rules.facts import TableFacts
from stages.rules.lookups import check_lookup
from stages.rules.model import Column, TableName
from stages.rules.place import Fault
from stages.rules.sources import check_source, check_source_key
from stages.rules.targets import check_target

if TYPE_CHECKING:
    from stages.rules.declared import DeclaredMapping
    from stages.rules.tables import Tables


class CheckedRule(msgspec.Struct, frozen=True):
    """A rule with the tables it was found to name, and the source columns its key reads (None: unknown).

    `lookups` are the tables that its `map` looks values up in.
    """

    declared: DeclaredRule
    source: tuple[TableName, TableFacts] | None
    target: tuple[TableName, TableFacts] | None
    key_columns: frozenset[str] | None
    lookups: tuple[tuple[TableName, TableFacts], ...] = ()


def check_rule(rule: DeclaredRule, tables: Tables, faults: list[Fault]) -> CheckedRule:
    """The rule with its tables; every fault it has beyond its form goes to `faults`."""
    source = tables.find("from", rule.source, rule.label) if rule.source else None
    target = tables.find("to", rule.target, rule.label) if rule.target else None
    key_columns = None
    looked_up = {
        column: table
        for column, mapping in (rule.map or {}).items()
        if mapping.lookup and (table := tables.find("lookup", mapping.lookup, rule.label))
    }
    if source is not None:
        faults += check_source(rule, source[1])
        expressions = Expressions(source[1], rule.label, faults)
        key_columns = _check_expressions(rule, expressions, target[1] if target else None)
        for column, table in looked_up.items():
            into = target[1].column(column) if target else None
            faults += check_lookup(rule, column, table[1], expressions, into)
        if key_columns is not None:
            faults += check_source_key(rule, key_columns, source[1])
    if target is not None:
        faults += check_target(rule, target[1])
    if source is not None and target is not None and source[0] == target[0] and rule.target is not None:
        message = "the rule leads from a table to itself"
        faults.append(Fault(rule.target.place, message, rule.label, "name another table in `to`"))
    return CheckedRule(rule, source, target, key_columns, tuple(looked_up.values()))


def _check_expressions(
    rule: DeclaredRule, expressions: Expressions, target: TableFacts | None
) -> frozenset[str] | None:
    """Compile every expression of the rule; the source columns that its key reads, if it compiles."""

    def into(name: str) -> Column | None:
        return target.column(name) if target else None

    if rule.when is not None:
        expressions.condition("`when`", rule.when)
    for name, mapping in (rule.map or {}).items():
        _check_mapping(name, mapping, expressions, into(name))
    for key, policy in (("on_delete", rule.on_delete), ("on_unmatched", rule.on_unmatched)):
        if isinstance(policy, DeclaredSet):
            for name, text in policy.columns.items():
                expressions.value(f"`{key}` of `{name}`", text, into(name))
    found = [
        expressions.value(f"`key` of `{name}`", text, into(name)) for name, text in (rule.key or {}).items()
    ]
    compiled = [expression for expression in found if expression is not None]
    if not found or len(compiled) < len(found):
        return None
    return frozenset(column for expression in compiled for column in expression.columns)


def _check_mapping(
    name: str, mapping: DeclaredMapping, expressions: Expressions, into: Column | None
) -> None:
    if mapping.expr is not None and mapping.values is not None:
        expressions.translated(f"`{name}`", mapping.expr, mapping.values, into)
    elif mapping.expr is not None:
        expressions.value(f"`{name}`", mapping.expr, into)
    if mapping.default is not None:
        expressions.value(f"`default` of `{name}`", mapping.default, into)
