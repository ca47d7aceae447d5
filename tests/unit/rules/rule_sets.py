"""Small rule sets to test with."""

from __future__ import annotations

from stages.rules.model import Column, Mapping, Rule, RuleSet, Table, TableName

EMEA = TableName("emea", "emea", "account")
US = TableName("us", "us", "account")


def rule(name: str, /, *, when: str | None = None, enabled: bool = True, source: TableName = EMEA) -> Rule:
    """A rule from `source` to us.account."""
    return Rule(
        id=0,
        name=name,
        version=0,
        source=source,
        target=US,
        key={"ext_id": "ext_id"},
        map={"name": Mapping("upper(name)")},
        when=when,
        enabled=enabled,
    )


def table(name: TableName, *, identity: tuple[str, ...] = ()) -> Table:
    """A plain table of two columns."""
    columns = (Column("ext_id", "text", nullable=False), Column("name", "text"))
    return Table(name, "plain", columns, identity)


def rule_set(*rules: Rule, identity: tuple[str, ...] = ("ext_id",)) -> RuleSet:
    """A candidate of these rules."""
    sources = {rule.source for rule in rules}
    enabled = {rule.source for rule in rules if rule.enabled}
    tables = [table(name, identity=identity if name in enabled else ()) for name in sorted(sources | {US})]
    return RuleSet(0, {"emea": "emea", "us": "us"}, tuple(tables), rules)
