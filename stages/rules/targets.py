"""The target side of a rule: which columns it may write, and whether its key recognises one record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.change import Operation
from stages.rules.declared import DeclaredSet
from stages.rules.facts import KEPT_BY_CONNECT
from stages.rules.place import Fault, Place
from stages.rules.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stages.rules.declared import DeclaredRule
    from stages.rules.facts import TableFacts


def check_target(rule: DeclaredRule, target: TableFacts) -> Iterator[Fault]:
    """Faults of a rule's target: what it is, its columns, its key, and what an insert would leave out."""
    place = rule.target.place if rule.target else rule.place
    if target.kind not in {"table", "partitioned table"}:
        yield Fault(place, f"`to`: {target.name} is a {target.kind}, not a table", rule.label, "name a table")
        return
    if target.read_only:
        message = (
            f"`to`: {target.name} is a read-only mapping of Heroku Connect: Salesforce would never get it"
        )
        yield Fault(place, message, rule.label, "make the mapping read-write in Heroku Connect")
    for name, here in _written(rule):
        yield from _check_column(rule.label, name, here, target)
    yield from _check_key(rule, target)
    yield from _check_insert(rule, target)


def _written(rule: DeclaredRule) -> Iterator[tuple[str, Place]]:
    for name, text in (rule.key or {}).items():
        yield name, text.place
    for name, mapping in (rule.map or {}).items():
        yield name, mapping.place
    for policy in (rule.on_delete, rule.on_unmatched):
        if isinstance(policy, DeclaredSet):
            yield from ((name, text.place) for name, text in policy.columns.items())


def _check_column(label: str, name: str, place: Place, target: TableFacts) -> Iterator[Fault]:
    column = target.column(name)
    if column is None:
        advice = did_you_mean(name, target.names())
        yield Fault(place, f"the target {target.name} has no column `{name}`", label, advice)
    elif target.connector == "heroku-connect" and name in KEPT_BY_CONNECT:
        message = f"`{name}` of {target.name} is kept by Heroku Connect and cannot be written"
        yield Fault(place, message, label, "remove it")
    elif not column.writable:
        yield Fault(
            place, f"`{name}` of {target.name} is generated and cannot be written", label, "remove it"
        )


def _check_key(rule: DeclaredRule, target: TableFacts) -> Iterator[Fault]:
    key = rule.key or {}
    columns = frozenset(key)
    if not key or columns - set(target.names()):
        return
    if not any(frozenset(index) == columns for index in target.unique):
        usable = [f"({', '.join(index)})" for index in target.unique if _may_be_key(index, target)]
        advice = f"unique in {target.name}: {', '.join(usable)}" if usable else _create_index(rule, target)
        message = f"unkeyed target: {target.name} has no unique index on exactly ({', '.join(key)})"
        yield Fault(next(iter(key.values())).place, message, rule.label, advice)
    for name, mapping in (rule.map or {}).items():
        if name in key and (mapping.expr is None or mapping.expr.value != key[name].value):
            message = f"`{name}` stands in `key` and, otherwise, in `map`"
            yield Fault(
                mapping.place, message, rule.label, "leave it in `key` alone: key columns are written too"
            )


def _may_be_key(index: tuple[str, ...], target: TableFacts) -> bool:
    return all((column := target.column(name)) is not None and column.writable for name in index)


def _create_index(rule: DeclaredRule, target: TableFacts) -> str:
    if target.connector == "heroku-connect":
        return "give the mapping a unique external id in Heroku Connect"
    return f"CREATE UNIQUE INDEX ON {target.schema}.{target.name} ({', '.join(rule.key or ())})"


def _check_insert(rule: DeclaredRule, target: TableFacts) -> Iterator[Fault]:
    """A rule that heeds inserts must fill what cannot stay empty; others may count on rows that exist."""
    if Operation.INSERT not in rule.on or rule.map is None:
        return
    filled = {*(rule.key or ()), *rule.map}
    for column in target.columns:
        if not (column.nullable or column.has_default or column.name in filled) and column.writable:
            message = f"an insert leaves `{column.name}` of {target.name} empty: NOT NULL, and no default"
            advice = 'map it, or leave inserts to another rule: on = ["update", "delete"]'
            yield Fault(rule.target.place if rule.target else rule.place, message, rule.label, advice)
