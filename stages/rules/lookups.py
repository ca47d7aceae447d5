"""A looked-up value against the catalogue: its table, what recognises the row there, what is taken of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.expression import assignment, sql_type
from stages.rules.place import Fault
from stages.rules.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stages.rules.declared import DeclaredRule
    from stages.rules.expressions import Expressions
    from stages.rules.facts import TableFacts
    from stages.rules.model import Column
    from stages.rules.place import Text


def check_lookup(
    rule: DeclaredRule, name: str, table: TableFacts, expressions: Expressions, into: Column | None
) -> Iterator[Fault]:
    """Faults of the `lookup` that fills the target column `name`; `expressions` notes those of its own."""
    mapping = (rule.map or {})[name]
    for column, text in (mapping.where or {}).items():
        place = text.place
        known = table.column(column)
        if known is None:
            advice = did_you_mean(column, table.names())
            yield Fault(
                place, f"`where` of `{name}`: {table.name} has no column `{column}`", rule.label, advice
            )
        expressions.value(f"`where` of `{name}`, `{column}`", text, known)
    if mapping.take is not None:
        yield from _check_take(rule, name, mapping.take, table, into)


def _check_take(
    rule: DeclaredRule, name: str, take: Text, table: TableFacts, into: Column | None
) -> Iterator[Fault]:
    taken = table.column(take.value)
    if taken is None:
        advice = did_you_mean(take.value, table.names())
        message = f"`take` of `{name}`: {table.name} has no column `{take.value}`"
        yield Fault(take.place, message, rule.label, advice)
    elif into is not None and assignment(sql_type(taken.type), into.type, taken.type) is None:
        message = (
            f"`take` of `{name}`: `{taken.name}` is {taken.type}, "
            f"and there is no assignment cast to {into.type}"
        )
        yield Fault(take.place, message, rule.label, f"take a column that fits {into.type}")
