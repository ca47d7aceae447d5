"""Stage two: which rules want this change, and what it is to each: entering, inside, leaving, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from stages.expression import EvaluationError
from stages.passage import Kind, Passage, Rows, Transition
from stages.read import read_rows
from stages.reject import Cause, Reject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stages.change import Change
    from stages.rules.closures import Row
    from stages.rules.compile import CompiledRule, CompiledRules


# The members themselves: it takes as long to look one up as to call a function.
_ENTER: Final = Kind.ENTER
_INSIDE: Final = Kind.INSIDE
_LEAVE: Final = Kind.LEAVE
_DELETE: Final = Kind.DELETE


def match_changes(batch: Sequence[Passage], rules: CompiledRules) -> list[Passage | None]:
    """Pair each change with the rules that want it; None where no rule does."""
    return [_match(passage, rules) for passage in batch]


def _match(passage: Passage, rules: CompiledRules) -> Passage | None:
    change = passage.change
    if change is None:
        return passage
    table = rules.tables[change.schema, change.table]
    try:
        rows = read_rows(change, table)
    except msgspec.DecodeError as error:
        return _unreadable(passage, change, error)
    transitions: list[Transition] = []
    rejects: list[Reject] = []
    for rule in table.rules:
        if _heeds(rule, change):
            if rows.faults and (fault := _fault(change, rule, rows.faults)):
                rejects.append(fault)
                continue
            try:
                kind = _kind(rule, rows)
            except EvaluationError as error:
                rejects.append(
                    reject(change, rule, Cause.EXPRESSION, f"`when`: {error.message}", error.sqlstate)
                )
                continue
            if kind is not None:
                transitions.append(Transition(rule.rule.id, kind))
    if not transitions and not rejects and not passage.echoes:
        return None
    all_rejects = (*passage.rejects, *rejects) if rejects else passage.rejects
    return Passage(passage.rules, change, tuple(transitions), (), all_rejects, passage.echoes, rows)


def _heeds(compiled: CompiledRule, change: Change) -> bool:
    rule = compiled.rule
    return (
        change.operation in rule.on
        and (not rule.origins or change.origin in rule.origins)
        # A change goes on along its way, never back to an org it came through.
        and (not change.path or rule.target.org not in change.path)
    )


def _kind(compiled: CompiledRule, rows: Rows) -> Kind | None:
    before = rows.before is not None and _meets(compiled, rows.before)
    if rows.after is None:
        return _DELETE if before else None
    if _meets(compiled, rows.after):
        return _INSIDE if before else _ENTER
    return _LEAVE if before else None


def _meets(compiled: CompiledRule, row: Row) -> bool:
    return compiled.condition is None or compiled.condition(row) is True  # NULL counts as not met


def _fault(change: Change, compiled: CompiledRule, faults: Mapping[str, str]) -> Reject | None:
    """Why the rule cannot go on with these rows, if it reads a column that is not as it knows it."""
    column = next((column for column in faults if column in compiled.reads), None)
    if column is None:
        return None
    message = f"the row does not fit the table that the rules know, in the column {column}: {faults[column]}"
    return reject(change, compiled, Cause.SCHEMA, message)


def _unreadable(passage: Passage, change: Change, error: Exception) -> Passage:
    fault = Reject(
        change_id=change.id,
        table=f"{change.schema}.{change.table}",
        key=change.key,
        cause=Cause.UNREADABLE,
        message=f"the row does not fit the table that the rules know: {error}",
    )
    return Passage(passage.rules, change, rejects=(*passage.rejects, fault), echoes=passage.echoes)


def reject(
    change: Change,
    rule: CompiledRule,
    cause: Cause,
    message: str,
    sqlstate: str | None = None,
    *,
    column: str | None = None,
) -> Reject:
    """A change that failed under one rule."""
    return Reject(
        change_id=change.id,
        table=f"{change.schema}.{change.table}",
        key=change.key,
        cause=cause,
        message=message,
        rule_id=rule.rule.id,
        rule=rule.rule.name,
        rule_version=rule.rule.version,
        sqlstate=sqlstate,
        column_name=column,
    )
