"""A contest: two rules keep rewriting each other's value of a column, so the record is set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stages.expression import ExpressionError, compile_expression
from stages.match import reject
from stages.reject import Cause, Reject
from stages.write import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stages.change import Change
    from stages.expression import SqlType
    from stages.passage import Passage
    from stages.rules.compile import CompiledRule, CompiledRules
    from stages.write import Write


def settle_contest(passage: Passage, rules: CompiledRules, contested: Iterable[str], rounds: int) -> Passage:
    """The passage with the writes rejected that would carry a contested column once more."""
    change = passage.change
    types = None if change is None else rules.tables[change.schema, change.table].echoes
    if change is None or types is None:
        return passage
    writes: list[Write] = []
    rejects = list(passage.rejects)
    for write in passage.writes:
        rule = rules.by_id[write.rule]
        found = _carried(write, rule, frozenset(contested), types)
        if found is None:
            writes.append(write)
        else:
            rejects.append(_letter(change, rule, rules, found, rounds))
    return msgspec.structs.replace(passage, writes=tuple(writes), rejects=tuple(rejects))


def _carried(
    write: Write, rule: CompiledRule, contested: frozenset[str], types: Mapping[str, SqlType]
) -> tuple[str, str] | None:
    """The first contested column that a write carries, and the target column that it goes to."""
    for target in write.changed if write.action is Action.UPDATE else write.values:
        mapping = rule.rule.map.get(target)
        if mapping is None or mapping.expr is None:
            continue
        for column in sorted(contested & _read(mapping.expr, types)):
            return column, target
    return None


def _read(expression: str, types: Mapping[str, SqlType]) -> frozenset[str]:
    try:
        return frozenset(compile_expression(expression, dict(types)).columns)
    except ExpressionError:
        return frozenset()


def _letter(
    change: Change, rule: CompiledRule, rules: CompiledRules, found: tuple[str, str], rounds: int
) -> Reject:
    column, target = found
    source = (change.schema, change.table)
    others = [
        other.rule.name
        for other in rules.by_id.values()
        if (other.rule.target.schema, other.rule.target.name) == source and column in other.rule.map
    ]
    message = (
        f"the rules {rule.rule.name} and {', '.join(sorted(others))} keep rewriting each other's value of"
        f" {rule.rule.source}.{column}: {rounds} rounds without one that Salesforce kept"
    )
    return reject(change, rule, Cause.PING_PONG, message, column=target)
