"""What the rules' targets refer to: looked-up rows that are waited for, and foreign keys between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stages.rules.looking import reaches
from stages.rules.model import Rule, Table, TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class ForeignKey(msgspec.Struct, frozen=True):
    """A foreign key of a rule's target whose columns the rule writes, to a table that is a target itself.

    `circular`: that table depends in turn on what this rule writes, and NULL may stand there meanwhile.
    """

    name: str
    columns: tuple[str, ...]
    table: Table
    where: tuple[str, ...]
    circular: bool = False


class Referring:
    """The references among the targets of a rule set's enabled rules."""

    def __init__(self, rules: Iterable[Rule], tables: Mapping[TableName, Table]) -> None:
        self._rules = [rule for rule in rules if rule.enabled]
        self._tables = {(name.schema, name.name): table for name, table in tables.items()}
        self.named = {str(name): table for name, table in tables.items()}
        self._targets = {(rule.target.schema, rule.target.name) for rule in self._rules}
        self._edges = set(self._found())

    def _found(self) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
        for rule in self._rules:
            here = (rule.target.schema, rule.target.name)
            for mapping in rule.map.values():
                if mapping.lookup is not None and (mapping.missing or "wait") == "wait":
                    name = self.named[mapping.lookup].name
                    yield here, (name.schema, name.name)
            for reference in self._tables[here].references:
                yield here, (reference.schema, reference.table)

    def is_circular(self, rule: Rule, table: Table, columns: Iterable[str]) -> bool:
        """Whether a record written by the rule may wait for one of `table` that waits for it in turn.

        False where one of the columns that would stay empty meanwhile cannot be NULL.
        """
        target = self._tables[rule.target.schema, rule.target.name]
        empty = {column.name for column in target.columns if column.nullable}
        there, here = (table.name.schema, table.name.name), (rule.target.schema, rule.target.name)
        return empty.issuperset(columns) and reaches(self._edges, there, here)

    def foreign_keys(self, rule: Rule) -> tuple[ForeignKey, ...]:
        """The foreign keys under which the rule's writes may have to wait for a parent."""
        written = {*rule.key, *rule.map}
        return tuple(
            ForeignKey(
                one.name,
                one.columns,
                self._tables[one.schema, one.table],
                one.to,
                self.is_circular(rule, self._tables[one.schema, one.table], one.columns)
                and not set(one.columns) & rule.key.keys(),
            )
            for one in self._tables[rule.target.schema, rule.target.name].references
            if (one.schema, one.table) in self._targets and written.issuperset(one.columns)
        )
