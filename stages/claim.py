"""What a contested write says of itself: what its change started from, and when it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from stages.expression import EvaluationError
from stages.rules.closures import UnmappedValue
from stages.stamp import microseconds
from stages.write import Action

if TYPE_CHECKING:
    from stages.change import Change
    from stages.passage import Rows
    from stages.rules.closures import Row
    from stages.rules.compile import CompiledRule
    from stages.write import Write


def claimed(write: Write, rule: CompiledRule, change: Change, rows: Rows) -> Write:
    """The write with its claim. An upsert started from nothing that anybody knows."""
    began = None if write.action is Action.UPSERT or rows.before is None else _began(write, rule, rows.before)
    return msgspec.structs.replace(write, began=began, edited=edited(rule, change, rows))


def edited(rule: CompiledRule, change: Change, rows: Rows) -> int:
    """When the change was made: as Salesforce says where it does, else when it was captured."""
    column = rule.contest.source_time if rule.contest is not None else None
    if column is not None and rows.after is not None:
        told = rows.after[column]
        if told is not None and (rows.before is None or rows.before[column] != told):
            return microseconds(told)
    return microseconds(change.captured_at)


def _began(write: Write, rule: CompiledRule, before: Row) -> dict[str, Any] | None:
    """The mapped values before the change of what the write is about; None where they cannot be told."""
    try:
        values = rule.columns.values(before)
    except (EvaluationError, UnmappedValue):
        return None
    if write.action is Action.DELETE:
        return values
    return {name: values[name] for name in write.changed if name in values}
