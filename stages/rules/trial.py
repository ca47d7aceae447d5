"""One rule tried on one change, alone and without a database: what it makes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from stages.change import Change, Operation
from stages.filter import filter_changes
from stages.match import match_changes
from stages.passage import Kind, Passage
from stages.reject import Reject
from stages.rules.compile import CompiledRules, compile_rules
from stages.transform import transform_changes
from stages.wait import Wait
from stages.write import Write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stages.rules.model import Rule, RuleSet, Table

LookUp = Callable[[Passage, CompiledRules], Passage]
_ALONE: Final = 1
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


class Outcome(msgspec.Struct, frozen=True):
    """What a rule makes of a change.

    `kind` is None where it does not want the change, or could not tell; `write` is None where nothing is
    to be written, or it has to wait.
    """

    kind: Kind | None = None
    write: Write | None = None
    reject: Reject | None = None
    wait: Wait | None = None
    passage: Passage | None = None  # as it would come to apply


class Trial:
    """A rule of a valid rule set, ready to be tried; one that is switched off is tried all the same."""

    def __init__(self, rule_set: RuleSet, rule: Rule) -> None:
        alone = msgspec.structs.replace(rule, id=rule.id or _ALONE, enabled=True)
        self.rules = compile_rules(msgspec.structs.replace(rule_set, rules=(alone,)))
        self.rule = self.rules.by_id[alone.id]

    def run(self, change: Change, look_up: LookUp | None = None) -> Outcome:
        """What the stages up to apply make of the change; `look_up` fills looked-up values in."""
        (kept,) = filter_changes([Passage(self.rules.version, change)], self.rules)
        matched = kept and match_changes([kept], self.rules)[0]
        if matched is None:
            return Outcome()
        if matched.rejects:
            return Outcome(reject=matched.rejects[0], passage=matched)
        kind = matched.transitions[0].kind
        done = transform_changes([matched], self.rules)[0]
        if done is None:
            return Outcome(kind)
        if look_up is not None:
            done = look_up(done, self.rules)
        return Outcome(
            kind,
            next(iter(done.writes), None),
            next(iter(done.rejects), None),
            next(iter(done.waits), None),
            done,
        )


def change_of(
    table: Table,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    origin: str = "application",
) -> Change:
    """A change of a record of `table`, as capture would write it; columns not given are NULL."""
    operation = (
        Operation.INSERT if before is None else Operation.DELETE if after is None else Operation.UPDATE
    )
    key, old_key = _identity(table, after or before), _identity(table, before)
    return Change(
        id=0,
        schema=table.name.schema,
        table=table.name.name,
        operation=operation,
        origin=origin,
        captured_at="",
        key=_raw(key),
        old_key=_raw(old_key if operation is Operation.UPDATE and old_key != key else None),
        before=_raw(_row(table, before)),
        after=_raw(_row(table, after)),
    )


def _row(table: Table, given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if given is None else {column.name: given.get(column.name) for column in table.columns}


def _identity(table: Table, row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if row is None else {name: row.get(name) for name in table.identity}


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(_ENCODER.encode(value))
