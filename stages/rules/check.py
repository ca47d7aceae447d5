"""Declared rules against the catalogue: a rule set that workers can run, or every fault there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.rules.build import build_rule
from stages.rules.check_rule import CheckedRule, check_rule
from stages.rules.check_tests import check_tests
from stages.rules.doubts import doubts
from stages.rules.model import RuleSet, Table
from stages.rules.sources import SourceKey, identify
from stages.rules.tables import Tables, check_orgs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stages.rules.declared import Declared
    from stages.rules.facts import Catalogue, TableFacts
    from stages.rules.model import TableName
    from stages.rules.place import Fault


def check(
    declared: Declared, catalogue: Catalogue, of_form: Iterable[Fault] = ()
) -> tuple[RuleSet, list[Fault], list[Fault]]:
    """The rule set of what is in order (ids and versions 0; whole if there is no fault), faults, warnings.

    The tests of rules are run, but for those of rules that have a fault, here or in `of_form`.
    """
    warnings: list[Fault] = []
    faults = list(check_orgs(declared, catalogue))
    tables = Tables(declared.orgs, catalogue, faults)
    checked = [check_rule(rule, tables, faults) for rule in declared.rules]
    built = [(rule, found) for rule in checked if (found := build_rule(rule))]
    rule_set = RuleSet(
        version=0,
        orgs={org.name: org.schema.value for org in declared.orgs.values() if org.schema},
        tables=tuple(_tables(declared, checked, faults)),
        rules=tuple(sorted((found for _, found in built), key=lambda rule: rule.name)),
    )
    faulty = {fault.rule for fault in (*of_form, *faults)}
    for rule, found in built:
        if rule.declared.label not in faulty:
            faults += check_tests(rule.declared, found, rule_set)
            if rule.source and rule.target:
                warnings += doubts(rule.declared, rule.source[1], rule.target[1])
    return rule_set, faults, warnings


def _tables(declared: Declared, checked: list[CheckedRule], faults: list[Fault]) -> list[Table]:
    facts: dict[TableName, TableFacts] = {}
    keys: dict[TableName, list[SourceKey]] = {}
    for rule in checked:
        facts |= dict(side for side in (rule.source, rule.target, *rule.lookups) if side is not None)
        if rule.source is not None and rule.declared.enabled and rule.key_columns is not None:
            keys.setdefault(rule.source[0], []).append(SourceKey(rule.declared, rule.key_columns))
    tables = []
    for name in sorted(facts):
        identity, missing = identify(name, facts[name], keys.get(name, []), _stated(declared, name))
        faults += missing
        tables.append(_table(name, facts[name], identity if name in keys else ()))
    return tables


def _table(name: TableName, facts: TableFacts, identity: tuple[str, ...]) -> Table:
    """The table as data; it has an identity where rules read it."""
    return Table(
        name,
        facts.connector,
        facts.columns,
        identity,
        facts.references,
        facts.kind in {"table", "partitioned table"},
        facts.primary_key if identity else (),
        tuple(sorted(facts.unique)) if identity else (),
    )


def _stated(declared: Declared, name: TableName) -> tuple[str, ...]:
    table = declared.orgs[name.org].tables.get(name.name)
    return tuple(column.value for column in table.identity) if table else ()
