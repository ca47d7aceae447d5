"""A rule as SQL: what Postgres itself makes of its expressions, without a line of our stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql

from pipeline.postgres.queries import load
from stages.expression import to_sql
from stages.rules.model import SetColumns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stages.rules.model import Mapping as MappedColumn
    from stages.rules.model import Rule, RuleSet, Table

_NOTHING = sql.SQL("NULL::jsonb")


class Oracle:
    """The queries of one rule. Keys and images are JSON objects of target columns, typed as the target's."""

    def __init__(self, rule: Rule, rule_set: RuleSet) -> None:
        self.rule = rule
        self._target = next(table for table in rule_set.tables if table.name == rule.target)
        self._types = {column.name: column.type for column in self._target.columns}
        self._source = sql.Identifier(rule.source.schema, rule.source.name)
        self._parts = self._compose()

    def query(self, name: str) -> sql.Composed:
        """A query of sql/queries/demo.sql, for this rule."""
        return sql.SQL(load("demo")[name]).format(**self._parts)

    @property
    def of_source(self) -> dict[str, Any]:
        """The parameters of `transitions`: which changes the rule heeds."""
        rule = self.rule
        return {
            "schema": rule.source.schema,
            "table": rule.source.name,
            "operations": [str(operation) for operation in rule.on],
            "target_org": rule.target.org,
            "origins": list(rule.origins),
        }

    @property
    def of_target(self) -> dict[str, Any]:
        """The parameters that name the target table."""
        return {"schema": self.rule.target.schema, "table": self.rule.target.name}

    def _compose(self) -> dict[str, sql.Composable]:
        rule = self.rule
        written = {name: _value(mapping) for name, mapping in rule.map.items()}
        return {
            "source": self._source,
            "target": sql.Identifier(rule.target.schema, rule.target.name),
            "condition": sql.SQL("({}) IS TRUE").format(_expression(rule.when or "TRUE")),
            "key_object": self._object({name: _expression(text) for name, text in rule.key.items()}),
            "image_object": self._object(written),
            "target_key": self._object({name: sql.Identifier(name) for name in rule.key}),
            "target_image": self._object({name: sql.Identifier(name) for name in rule.map}),
            "on_delete": self._set(rule.on_delete),
            "on_unmatched": self._set(rule.on_unmatched),
        }

    def _object(self, values: Mapping[str, sql.Composable]) -> sql.Composable:
        # The type is format_type()'s text, which is SQL already.
        form = sql.SQL("{}, CAST({} AS {})")
        pairs = [form.format(name, value, sql.SQL(self._types[name])) for name, value in values.items()]
        return sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(pairs))

    def _set(self, policy: object) -> sql.Composable:
        if not isinstance(policy, SetColumns):
            return _NOTHING
        return self._object({name: _expression(text) for name, text in policy.columns.items()})


def compare_capture(table: Table) -> sql.Composed:
    """The query that compares a captured table with what was captured of it."""
    source = sql.Identifier(table.name.schema, table.name.name)
    return sql.SQL(load("demo")["uncaptured"]).format(source=source)


def _expression(text: str) -> sql.SQL:
    # What to_sql gives was parsed and written anew from the nodes that the rule language allows.
    return sql.SQL(to_sql(text))


def _value(mapping: MappedColumn) -> sql.Composable:
    if mapping.expr is None:
        raise ValueError("the demo's rules look nothing up")
    expression = _expression(mapping.expr)
    if mapping.values is None:
        return expression
    branch = sql.SQL("WHEN {} THEN {}")
    branches = [branch.format(sql.Literal(old), sql.Literal(new)) for old, new in mapping.values.items()]
    return sql.SQL(
        "CASE WHEN {subject} IS NULL THEN NULL ELSE CASE {subject} {branches} ELSE {default} END END"
    ).format(
        subject=expression,
        branches=sql.SQL(" ").join(branches),
        default=sql.SQL("NULL") if mapping.default is None else _expression(mapping.default),
    )
