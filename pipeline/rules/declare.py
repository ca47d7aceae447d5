"""From documents to declared orgs and rules: unknown keys, missing keys and wrong types are found here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast, get_args

from pipeline.rules.declare_rule import INSTEAD, declare_rule
from pipeline.rules.instances import instances
from pipeline.rules.section import Section
from stages.rules.declared import Declared, DeclaredOrg, DeclaredTable
from stages.rules.model import Connector
from stages.rules.place import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.rules.document import Node
    from stages.rules.declared import DeclaredRule

#: Org names stand in `org.table`, in hop paths and in metrics: a dot or a comma would divide them.
_ORG_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,63}")


def declare(documents: Iterable[Node]) -> tuple[Declared, list[Fault]]:
    """What the documents say together, and every fault of form in them."""
    faults: list[Fault] = []
    orgs: dict[str, DeclaredOrg] = {}
    rules: list[DeclaredRule] = []
    for document in documents:
        root = Section(document, faults)
        root.only({"orgs", "rules"}, {"templates": INSTEAD["template"]})
        _orgs(root, orgs, faults)
        rules += _rules(document, root, faults)
    _refuse_same_names(rules, faults)
    return Declared(orgs, tuple(rules)), faults


def _orgs(root: Section, orgs: dict[str, DeclaredOrg], faults: list[Fault]) -> None:
    section = root.section("orgs")
    for name in section or ():
        org = section.section(name) if section else None
        if org is None:
            continue
        if not _ORG_NAME.fullmatch(name):
            org.fault(org.place, f"`{name}` cannot name an org", "use letters, digits, _ and -")
        declared = _org(name, org)
        orgs[name] = _merged(orgs[name], declared, faults) if name in orgs else declared


def _org(name: str, section: Section) -> DeclaredOrg:
    section.only({"schema", "connector", "tables"})
    section.require("schema", f'schema = "{name}"')
    tables = section.section("tables")
    found = {table: tables.section(table) for table in tables} if tables else {}
    return DeclaredOrg(
        name,
        section.place,
        section.text("schema"),
        cast("Connector | None", section.choice("connector", get_args(Connector))),
        {table: _table(inner) for table, inner in found.items() if inner is not None},
    )


def _table(section: Section) -> DeclaredTable:
    section.only({"identity"})
    section.require("identity", 'identity = ["ext_id__c"]')
    identity = section.texts("identity")
    if identity == []:
        section.fault(
            section.place_of("identity"), "`identity` names no column", "name one, or remove the key"
        )
    return DeclaredTable(section.place, tuple(identity or ()))


def _merged(first: DeclaredOrg, second: DeclaredOrg, faults: list[Fault]) -> DeclaredOrg:
    """One org described in two files: they must agree, and may each bring tables."""
    if first.schema and second.schema and first.schema.value != second.schema.value:
        message = f"org {first.name} has another `schema` at {first.schema.place}"
        faults.append(Fault(second.schema.place, message, suggestion="state it once"))
    if first.connector and second.connector and first.connector != second.connector:
        message = f"org {first.name} has another `connector` at {first.place}"
        faults.append(Fault(second.place, message, suggestion="state it once"))
    for name in first.tables.keys() & second.tables.keys():
        message = f"table {first.name}.{name} is described already at {first.tables[name].place}"
        faults.append(Fault(second.tables[name].place, message, suggestion="describe it once"))
    return DeclaredOrg(
        first.name,
        first.place,
        first.schema or second.schema,
        first.connector or second.connector,
        second.tables | first.tables,
    )


def _rules(document: Node, root: Section, faults: list[Fault]) -> list[DeclaredRule]:
    if root.kind("rules") is not list:
        if "rules" in root:
            root.fault(
                root.place_of("rules"), "`rules` must be an array of tables", "begin each rule with [[rules]]"
            )
        return []
    rules = []
    for number, node in enumerate(document.value["rules"].value, start=1):
        if isinstance(node.value, dict):
            rules += [declare_rule(instance, faults) for instance in instances(node, number, faults)]
        else:
            faults.append(Fault(node.place, f"a rule must be a table, not {node.kind}"))
    return rules


def _refuse_same_names(rules: list[DeclaredRule], faults: list[Fault]) -> None:
    first: dict[str, DeclaredRule] = {}
    for rule in rules:
        if rule.name is None:
            continue
        earlier = first.setdefault(rule.name.value, rule)
        if earlier is rule or earlier.name is None:
            continue
        if earlier.place == rule.place:  # the instances of one [[rules]]
            message, advice = f"it is said for {earlier.label} too", "put a parameter of `for` into `name`"
        else:
            message = f"another rule at {earlier.name.place} has the same name"
            advice = "give each rule a name of its own"
        faults.append(Fault(rule.name.place, message, rule.label, advice))
