"""Declared rules against the catalogue: a rule set that workers can run, or every fault there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.rules.build import build_rule
from stages.rules.check_rule import CheckedRule, check_rule
from stages.rules.model import RuleSet, Table
from stages.rules.sources import SourceKey, identify
from stages.rules.tables import Tables, check_orgs

if TYPE_CHECKING:
    from stages.rules.declared import Declared
    from stages.rules.facts import Catalogue, TableFacts
    from stages.rules.model import TableName
    from stages.rules.place import Fault


def check(declared: Declared, catalogue: Catalogue) -> tuple[RuleSet, list[Fault]]:
    """The rule set of what is in order (ids and versions 0; whole if there is no fault), and all faults."""
    faults = list(check_orgs(declared, catalogue))
    tables = Tables(declared.orgs, catalogue, faults)
    checked = [check_rule(rule, tables, faults) for rule in declared.rules]
    rule_set = RuleSet(
        version=0,
        orgs={org.name: org.schema.value for org in declared.orgs.values() if org.schema},
        tables=tuple(_tables(declared, checked, faults)),
        rules=tuple(
            sorted((built for rule in checked if (built := build_rule(rule))), key=lambda rule: rule.name)
        ),
    )
    return rule_set, faults


def _tables(declared: Declared, checked: list[CheckedRule], faults: list[Fault]) -> list[Table]:
    facts: dict[TableName, TableFacts] = {}
    keys: dict[TableName, list[SourceKey]] = {}
    for rule in checked:
        facts |= dict(side for side in (rule.source, rule.target) if side is not None)
        if rule.source is not None and rule.declared.enabled and rule.key_columns is not None:
            keys.setdefault(rule.source[0], []).append(SourceKey(rule.declared, rule.key_columns))
    tables = []
    for name in sorted(facts):
        identity, missing = identify(name, facts[name], keys.get(name, []), _stated(declared, name))
        faults += missing
        tables.append(
            Table(name, facts[name].connector, facts[name].columns, identity if name in keys else ())
        )
    return tables


def _stated(declared: Declared, name: TableName) -> tuple[str, ...]:
    table = declared.orgs[name.org].tables.get(name.name)
    return tuple(column.value for column in table.identity) if table else ()
