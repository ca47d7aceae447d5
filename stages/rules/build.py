"""From a checked rule to the rule as data, with every default written out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.rules.declared import DeclaredLimit, DeclaredMapping, DeclaredSet
from stages.rules.model import DeleteLimit, Mapping, Rule, SetColumns

if TYPE_CHECKING:
    from stages.rules.check_rule import CheckedRule
    from stages.rules.place import Text


def build_rule(checked: CheckedRule) -> Rule | None:
    """The rule with id and version 0, or None where a part that it cannot do without is missing."""
    declared = checked.declared
    name, key, columns = declared.name, declared.key, declared.map
    if name is None or checked.source is None or checked.target is None or not key or columns is None:
        return None
    on_delete, on_unmatched = declared.on_delete, declared.on_unmatched
    return Rule(
        id=0,
        name=name.value,
        version=0,
        source=checked.source[0],
        target=checked.target[0],
        key=_values(key),
        map={column: _mapping(mapping) for column, mapping in columns.items() if column not in key},
        when=_value(declared.when),
        on=declared.on,
        on_delete=_set(on_delete) if isinstance(on_delete, DeclaredSet) else on_delete,
        on_unmatched=_set(on_unmatched) if isinstance(on_unmatched, DeclaredSet) else on_unmatched,
        conflict=declared.conflict,
        priority=declared.priority,
        enabled=declared.enabled,
        origins=declared.origins,
        max_deletes=_limit(declared.max_deletes),
        breaker=declared.breaker,
    )


def _mapping(mapping: DeclaredMapping) -> Mapping:
    return Mapping(
        expr=_value(mapping.expr),
        values=None if mapping.values is None else _values(mapping.values),
        default=_value(mapping.default),
        lookup=_value(mapping.lookup),
        where=None if mapping.where is None else _values(mapping.where),
        take=_value(mapping.take),
        missing=mapping.missing,
        conflict=mapping.conflict,
    )


def _limit(limit: DeclaredLimit | None) -> DeleteLimit | None:
    return None if limit is None else DeleteLimit(limit.count, limit.share)


def _set(policy: DeclaredSet) -> SetColumns:
    return SetColumns(_values(policy.columns))


def _value(text: Text | None) -> str | None:
    return None if text is None else text.value


def _values(texts: dict[str, Text]) -> dict[str, str]:
    return {name: text.value for name, text in texts.items()}
