"""Looked-up values: which rows a batch asks for, and what becomes of its writes once they were looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from stages.match import reject
from stages.reject import Cause, Reject
from stages.wait import Awaited, Wait, WaitCause
from stages.write import Action, Wanted, Write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stages.change import Change
    from stages.passage import Passage
    from stages.rules.compile import CompiledRule, CompiledRules
    from stages.rules.looking import Lookup
    from stages.rules.model import Table, TableName

Key = tuple[Any, ...]


class Sought(NamedTuple):
    """What is asked of one table in one query: rows by these columns."""

    table: TableName
    where: tuple[str, ...]


class Answer(NamedTuple):
    """What was found under one key: how many rows (two stand for more), and the values of the first."""

    rows: int
    values: Mapping[str, Any]


class Questions(NamedTuple):
    """The keys under which rows are sought, each once, and the columns that are taken of them."""

    table: Table
    keys: dict[Key, None]
    take: dict[str, None]


Answers = dict[tuple[Sought, Key], Answer]
NOT_THERE = Answer(0, {})


def sought_by(lookup: Lookup) -> Sought:
    """Which query serves a lookup."""
    return Sought(lookup.table.name, lookup.where)


def questions(passages: Iterable[Passage], rules: CompiledRules) -> dict[Sought, Questions]:
    """What a batch has to look up."""
    asked: dict[Sought, Questions] = {}
    for passage in passages:
        for write in passage.writes:
            if not write.wanted:
                continue
            for lookup in rules.by_id[write.rule].lookups:
                wanted = write.wanted.get(lookup.column)
                if wanted is not None:
                    found = asked.setdefault(sought_by(lookup), Questions(lookup.table, {}, {}))
                    found.keys[wanted.key] = None
                    found.take[lookup.take] = None
    return asked


def looked_up(passages: Sequence[Passage], rules: CompiledRules, answers: Answers) -> list[Passage]:
    """The batch with its values filled in; what finds none waits or is rejected, as the rule says."""
    return [
        _looked_up(passage, rules, answers) if any(write.wanted for write in passage.writes) else passage
        for passage in passages
    ]


def filled_in(passage: Passage, rules: CompiledRules, found: Mapping[str, Any]) -> Passage:
    """The passage where the lookup of a target column finds what `found` has for it, others nothing."""
    answers: Answers = {}
    for write in passage.writes:
        for lookup in rules.by_id[write.rule].lookups:
            wanted = write.wanted.get(lookup.column)
            if wanted is not None and lookup.column in found:
                name = (sought_by(lookup), wanted.key)
                known = answers.get(name, NOT_THERE).values
                answers[name] = Answer(1, {**known, lookup.take: found[lookup.column]})
    return _looked_up(passage, rules, answers)


def _looked_up(passage: Passage, rules: CompiledRules, answers: Answers) -> Passage:
    if passage.change is None:
        return passage
    writes: list[Write] = []
    rejects, waits = list(passage.rejects), list(passage.waits)
    for write in passage.writes:
        found = _settled(passage.change, write, rules.by_id[write.rule], answers) if write.wanted else write
        if isinstance(found, Write):
            writes.append(found)
        elif isinstance(found, Reject):
            rejects.append(found)
        else:
            waits.append(found)
    return msgspec.structs.replace(passage, writes=tuple(writes), rejects=tuple(rejects), waits=tuple(waits))


def _settled(change: Change, write: Write, rule: CompiledRule, answers: Answers) -> Write | Reject | Wait:
    values = dict(write.values)
    missed: list[tuple[Lookup, Wanted]] = []
    for lookup in rule.lookups:
        wanted = write.wanted.get(lookup.column)
        if wanted is None:
            continue
        answer = answers.get((sought_by(lookup), wanted.key), NOT_THERE)
        value = answer.values.get(lookup.take)
        matters = write.action is Action.UPSERT or lookup.column in write.changed
        if answer.rows > 1 and matters:
            return _ambiguous(change, rule, lookup)
        if value is not None and answer.rows == 1:
            values[lookup.column] = value
        elif lookup.missing == "default":
            if wanted.fault is not None:
                return reject(change, rule, Cause.EXPRESSION, wanted.fault, column=lookup.column)
            values[lookup.column] = wanted.default
        elif lookup.missing != "null" and matters:
            missed.append((lookup, wanted))
    if missed:
        return _missed(change, write, rule, missed, values)
    return msgspec.structs.replace(write, values=values, wanted={})


def _missed(
    change: Change,
    write: Write,
    rule: CompiledRule,
    missed: Sequence[tuple[Lookup, Wanted]],
    values: dict[str, Any],
) -> Reject | Wait:
    for lookup, wanted in missed:
        if lookup.missing == "dead-letter":
            message = f"`{lookup.column}`: there is no {awaited_by(lookup, wanted)}"
            return reject(change, rule, Cause.NOT_FOUND, message, column=lookup.column)
    lookup, wanted = missed[0]
    without = None
    if write.action is Action.UPSERT and all(one.circular for one, _ in missed):
        without = msgspec.structs.replace(write, values=values, wanted={})
    return wait_for(change, rule, awaited_by(lookup, wanted), lookup.column, without)


def awaited_by(lookup: Lookup, wanted: Wanted) -> Awaited:
    """The row that a lookup did not find."""
    name = lookup.table.name
    return Awaited(name.schema, name.name, dict(zip(lookup.where, wanted.key, strict=True)), lookup.take)


def wait_for(change: Change, rule: CompiledRule, awaited: Awaited, column: str, partly: Write | None) -> Wait:
    """A change that waits for a row."""
    taken = f" with {awaited.take}" if awaited.take is not None else ""
    return Wait(
        change_id=change.id,
        table=f"{change.schema}.{change.table}",
        rule_id=rule.rule.id,
        rule=rule.rule.name,
        rule_version=rule.rule.version,
        cause=WaitCause.PARENT,
        message=f"`{column}` waits for {awaited}{taken}",
        key=change.key,
        awaited=awaited,
        partly=partly,
    )


def given_up(wait: Wait) -> Reject:
    """The letter of a change that is to wait no longer."""
    return Reject(
        change_id=wait.change_id,
        table=wait.table,
        cause=Cause.NOT_FOUND,
        message=f"{wait.message}, which is not there",
        key=wait.key,
        rule_id=wait.rule_id,
        rule=wait.rule,
        rule_version=wait.rule_version,
    )


def without_waits(passage: Passage) -> Passage:
    """The passage where nobody waits: what would have to is rejected."""
    rejects = (*passage.rejects, *map(given_up, passage.waits))
    return msgspec.structs.replace(passage, rejects=rejects, waits=()) if passage.waits else passage


def _ambiguous(change: Change, rule: CompiledRule, lookup: Lookup) -> Reject:
    by = ", ".join(lookup.where)
    message = (
        f"`{lookup.column}`: the lookup finds more than one row of {lookup.table.name} by {by}, "
        "and cannot tell which is meant"
    )
    return reject(change, rule, Cause.AMBIGUOUS, message, column=lookup.column)
