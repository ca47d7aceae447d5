"""The difference between the live rule set and a candidate, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from stages.rules.model import Rule
from stages.rules.numbering import same_definition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stages.rules.model import RuleSet, Table

Sign = Literal["added", "changed", "removed"]


class FieldChange(msgspec.Struct, frozen=True):
    """One part that differs, as plain data; None where it is not there."""

    field: str  # "when", "map.phone", "column fax"
    before: Any
    after: Any


class RuleChange(msgspec.Struct, frozen=True):
    """A rule that would be added, changed or removed: as it is, and as it would be."""

    sign: Sign
    before: Rule | None
    after: Rule | None
    fields: tuple[FieldChange, ...] = ()

    @property
    def rule(self) -> Rule:
        """The rule as it would be; as it was, if it is removed."""
        return cast("Rule", self.after or self.before)


class OtherChange(msgspec.Struct, frozen=True):
    """An org or a table of which workers would learn something new."""

    sign: Sign
    name: str
    fields: tuple[FieldChange, ...] = ()


class Difference(msgspec.Struct, frozen=True):
    """All that would change."""

    rules: tuple[RuleChange, ...] = ()
    orgs: tuple[OtherChange, ...] = ()
    tables: tuple[OtherChange, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing would change."""
        return not (self.rules or self.orgs or self.tables)

    def as_data(self) -> dict[str, Any]:
        """The difference as plain data, for JSON."""
        rules = [
            {
                "name": change.rule.name,
                "change": change.sign,
                "version": change.rule.version,
                "from": str(change.rule.source),
                "to": str(change.rule.target),
                "fields": msgspec.to_builtins(change.fields),
            }
            for change in self.rules
        ]
        return {
            "rules": rules,
            "orgs": msgspec.to_builtins(self.orgs),
            "tables": msgspec.to_builtins(self.tables),
        }


def difference(live: RuleSet | None, candidate: RuleSet) -> Difference:
    """What applying the candidate (with ids and versions) would change."""
    if live is None:
        live = msgspec.structs.replace(candidate, orgs={}, tables=(), rules=())
    return Difference(
        rules=tuple(_rules(live, candidate)),
        orgs=tuple(_orgs(live.orgs, candidate.orgs)),
        tables=tuple(_tables(live, candidate)),
    )


def _rules(live: RuleSet, candidate: RuleSet) -> Iterator[RuleChange]:
    before = {rule.name: rule for rule in live.rules}
    after = {rule.name: rule for rule in candidate.rules}
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield RuleChange("added", None, after[name])
        elif name not in after:
            yield RuleChange("removed", before[name], None)
        elif not same_definition(before[name], after[name]):
            fields = tuple(_fields(_parts(before[name]), _parts(after[name])))
            yield RuleChange("changed", before[name], after[name], fields)


def _orgs(before: dict[str, str], after: dict[str, str]) -> Iterator[OtherChange]:
    for name in sorted(before.keys() | after.keys()):
        fields = (FieldChange("schema", before.get(name), after.get(name)),)
        if name not in before:
            yield OtherChange("added", name, fields)
        elif name not in after:
            yield OtherChange("removed", name, fields)
        elif before[name] != after[name]:
            yield OtherChange("changed", name, fields)


def _tables(live: RuleSet, candidate: RuleSet) -> Iterator[OtherChange]:
    """Changes of tables known before; others come and go with their rules."""
    before = {table.name: table for table in live.tables}
    for table in candidate.tables:
        known = before.get(table.name)
        if known is not None and known != table:
            fields = tuple(_fields(_table_parts(known), _table_parts(table)))
            order = (FieldChange("order of columns", None, None),)
            yield OtherChange("changed", str(table.name), fields or order)


def _fields(before: dict[str, Any], after: dict[str, Any]) -> Iterator[FieldChange]:
    for name in [*before, *(name for name in after if name not in before)]:
        if before.get(name) != after.get(name):
            yield FieldChange(name, before.get(name), after.get(name))


def _parts(rule: Rule) -> dict[str, Any]:
    """The rule's fields as plain data, with each column of `key` and `map` a field of its own."""
    fields = msgspec.to_builtins(rule)
    parts: dict[str, Any] = {"from": str(rule.source), "to": str(rule.target)}
    for name, value in fields.items():
        if name in {"key", "map"}:
            parts |= {f"{name}.{column}": inner for column, inner in value.items()}
        elif name not in {"id", "name", "version", "source", "target"}:
            parts[name] = value
    return parts


def _table_parts(table: Table) -> dict[str, Any]:
    columns = {f"column {column.name}": msgspec.to_builtins(column) for column in table.columns}
    keys = {"primary key": list(table.primary_key), "unique": list(map(list, table.unique))}
    return {"connector": table.connector, "identity": list(table.identity), **keys, **columns}
