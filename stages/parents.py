"""Foreign keys: the rows that a batch refers to, and what becomes of writes whose parent is not there yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from stages.lookup import NOT_THERE, Answers, Questions, Sought, wait_for
from stages.wait import Awaited, Wait
from stages.write import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from stages.change import Change
    from stages.passage import Passage
    from stages.rules.compile import CompiledRule, CompiledRules
    from stages.rules.referring import ForeignKey
    from stages.write import Write


def parents_of(passages: Iterable[Passage], rules: CompiledRules) -> dict[Sought, Questions]:
    """The rows that foreign keys of a batch refer to."""
    asked: dict[Sought, Questions] = {}
    for passage in passages:
        for write in passage.writes:
            for foreign, key in _references(write, rules.by_id[write.rule]):
                sought = Sought(foreign.table.name, foreign.where)
                asked.setdefault(sought, Questions(foreign.table, {}, {})).keys[key] = None
    return asked


def with_parents(passages: Sequence[Passage], rules: CompiledRules, answers: Answers) -> list[Passage]:
    """The batch, in which a write waits whose parent is not there."""
    return [_with_parents(passage, rules, answers) for passage in passages]


def _with_parents(passage: Passage, rules: CompiledRules, answers: Answers) -> Passage:
    if passage.change is None:
        return passage
    writes: list[Write] = []
    waits: list[Wait] = list(passage.waits)
    for write in passage.writes:
        rule = rules.by_id[write.rule]
        missed = [
            (foreign, key)
            for foreign, key in _references(write, rule)
            if not answers.get((Sought(foreign.table.name, foreign.where), key), NOT_THERE).rows
        ]
        if missed:
            waits.append(_wait(passage.change, write, rule, missed))
        else:
            writes.append(write)
    return msgspec.structs.replace(passage, writes=tuple(writes), waits=tuple(waits))


def _wait(
    change: Change, write: Write, rule: CompiledRule, missed: Sequence[tuple[ForeignKey, tuple[Any, ...]]]
) -> Wait:
    without = None
    if write.action is Action.UPSERT and all(foreign.circular for foreign, _ in missed):
        empty = dict.fromkeys(name for foreign, _ in missed for name in foreign.columns)
        without = msgspec.structs.replace(write, values={**write.values, **empty})
    foreign, key = missed[0]
    name = foreign.table.name
    awaited = Awaited(name.schema, name.name, dict(zip(foreign.where, key, strict=True)))
    return wait_for(change, rule, awaited, ", ".join(foreign.columns), without)


def _references(write: Write, rule: CompiledRule) -> Iterator[tuple[ForeignKey, tuple[Any, ...]]]:
    """The foreign keys that a write fills; with NULL in it, one refers to nothing."""
    if write.action is Action.DELETE or not write.revives:
        return
    for foreign in rule.foreign_keys:
        row = {**write.values, **dict(zip(rule.key_columns, write.key, strict=True))}
        key = tuple([row.get(name) for name in foreign.columns])
        if None not in key:
            yield foreign, key
