"""Which rules are linked: those whose records have a name that outlasts a change of their key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stages.expression import compile_expression, sql_type

if TYPE_CHECKING:
    from stages.rules.model import Rule, RuleSet, Table, TableName

_SALESFORCE_ID: Final = "sfid"


def linked_rules(rule_set: RuleSet) -> dict[int, tuple[str, ...]]:
    """The linked rules among the enabled ones, each with the source columns that name a record for good.

    Their key is unique in the source, so that a target row is one record's. A key of the naming columns alone
    is left out, for it says no less than a link; so are rules from one table to another that disagree on the
    key: a record has several rows there.
    """
    enabled = [rule for rule in rule_set.rules if rule.enabled]
    keys: dict[tuple[TableName, TableName], set[tuple[tuple[str, str], ...]]] = {}
    for rule in enabled:
        keys.setdefault((rule.source, rule.target), set()).add(tuple(rule.key.items()))
    tables = {table.name: table for table in rule_set.tables}
    found = {}
    for rule in enabled:
        source = tables[rule.source]
        columns = lasting(source)
        if columns and len(keys[rule.source, rule.target]) == 1 and _tells_more(rule, source, columns):
            found[rule.id] = columns
    return found


def lasting(table: Table) -> tuple[str, ...]:
    """The columns that name a record whatever its key; empty where there are none.

    Of a table of Heroku Connect that is `sfid`, never its `id`, which a reload gives anew.
    """
    if table.connector == "plain":
        return table.primary_key
    return (_SALESFORCE_ID,) if table.column(_SALESFORCE_ID) is not None else ()


def _tells_more(rule: Rule, source: Table, columns: tuple[str, ...]) -> bool:
    """Whether the rule's key is one record's, and made of other columns than these."""
    types = {column.name: sql_type(column.type) for column in source.columns}
    read = {str(column) for text in rule.key.values() for column in compile_expression(text, types).columns}
    return not read <= set(columns) and any(read.issuperset(index) for index in source.unique)
