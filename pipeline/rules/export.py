"""A rule set as a rules file: it validates, and plans to no difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from stages.expression import compile_expression, sql_type
from stages.rules import toml
from stages.rules.identity import agreed
from stages.rules.model import DeleteLimit, Rule, SetColumns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stages.rules.model import Mapping as MappedColumn
    from stages.rules.model import RuleSet, Table

_DEFAULTS: Final = {field.name: field.default for field in msgspec.structs.fields(Rule)}


def export(rule_set: RuleSet) -> str:
    """The rule set as the text of a rules file; what is a default is left out."""
    lines: list[str] = []
    for org, schema in sorted(rule_set.orgs.items()):
        lines += [f"[orgs.{toml.key(org)}]", f"schema = {toml.string(schema)}", ""]
    for table in rule_set.tables:
        if table.identity and table.identity != _agreed(table, rule_set):
            lines += [f"[orgs.{toml.key(table.name.org)}.tables.{toml.key(table.name.name)}]"]
            lines += [f"identity = {toml.array(table.identity)}", ""]
    for rule in rule_set.rules:
        lines += [*_rule(rule), ""]
    return "\n".join(lines)


def _agreed(table: Table, rule_set: RuleSet) -> tuple[str, ...]:
    """The identity that the keys of the table's rules give by themselves."""
    types = {column.name: sql_type(column.type) for column in table.columns}
    rules = [rule for rule in rule_set.rules if rule.enabled and rule.source == table.name]
    keys = [
        {column for text in rule.key.values() for column in compile_expression(text, types).columns}
        for rule in rules
    ]
    return agreed([column.name for column in table.columns], keys)


def _rule(rule: Rule) -> Iterator[str]:
    yield "[[rules]]"
    yield f"name = {toml.string(rule.name)}"
    yield f"from = {toml.string(str(rule.source))}"
    yield f"to = {toml.string(str(rule.target))}"
    for name, default in _DEFAULTS.items():
        if name not in {"id", "name", "version", "source", "target", "key", "map"}:
            value = getattr(rule, name)
            if value != default:
                yield f"{name} = {_value(value)}"
    yield f"key = {_inline(rule.key)}"
    yield ""
    yield "[rules.map]"
    for column, mapping in rule.map.items():
        yield f"{toml.key(column)} = {_mapping(mapping)}"


def _mapping(mapping: MappedColumn) -> str:
    parts = {name: value for name, value in msgspec.to_builtins(mapping).items() if value is not None}
    return toml.string(parts["expr"]) if parts.keys() == {"expr"} else _inline(parts)


def _value(value: Any) -> str:
    if isinstance(value, SetColumns):
        return f"{{ set = {_inline(value.columns)} }}"
    if isinstance(value, DeleteLimit):
        if value == DeleteLimit():
            return "false"
        parts = msgspec.to_builtins(value).items()
        return f"{{ {', '.join(f'{name} = {part}' for name, part in parts)} }}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):  # `on` and `origins` are written in small letters
        return toml.array(str(word).lower() for word in value)
    return toml.string(value) if isinstance(value, str) else str(value)


def _inline(table: Mapping[str, Any]) -> str:
    if not table:
        return "{}"
    inner = (
        f"{toml.key(name)} = {_inline(value) if isinstance(value, dict) else toml.string(value)}"
        for name, value in table.items()
    )
    return f"{{ {', '.join(inner)} }}"
