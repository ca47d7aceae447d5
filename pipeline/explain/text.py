"""An explanation as plain lines, step after step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.explain.explanation import Explanation
    from stages.explain import Evaluated

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def lines(found: Explanation) -> Iterator[str]:
    """The lines that tell a person."""
    rule, change = found.rule, found.subject.change
    version = f"version {rule.version} of rule set {found.rule_set}" if found.rule_set else "not applied"
    yield f"rule {rule.name} ({version}): {rule.source} to {rule.target}"
    yield f"record: {found.subject.said}"
    yield f"  {change.operation} by {change.origin}, identity {_shown(change.key)}"
    yield from _filter(found)
    yield from _match(found)
    if found.steps.outcome.passage is not None or found.steps.columns:
        yield from _transform(found)
    yield from _apply(found)
    yield from _target(found)
    yield from _state(found)


def _filter(found: Explanation) -> Iterator[str]:
    checks = found.steps.checks
    yield f"filter: {'goes on' if all(check.passes for check in checks) else 'stops here'}"
    for check in checks:
        sign = "yes" if check.passes else "NO"
        yield f"  {check.name}: {sign}, wanted {_shown(check.asked)}, found {_shown(check.found)}"


def _match(found: Explanation) -> Iterator[str]:
    when = found.steps.when
    yield f"match: {found.outcome}"
    if when is None:
        yield "  when: every record"
        return
    yield f"  when: {when.expression}"
    yield from _both(when)


def _both(one: Evaluated) -> Iterator[str]:
    for said, inputs, value in (
        ("before", one.inputs_before, one.before),
        ("after", one.inputs_after, one.after),
    ):
        if inputs is not None:
            yield f"    {said}: {_shown(value)} from {_shown(inputs)}"
    if one.fault:
        yield f"    fails: {one.fault}"


def _transform(found: Explanation) -> Iterator[str]:
    outcome = found.steps.outcome
    if outcome.reject:
        said = f"dead letter, {outcome.reject.cause}: {outcome.reject.message}"
    elif outcome.wait:
        said = f"waits: {outcome.wait.message}"
    else:
        said = outcome.write.action if outcome.write else "nothing"
    yield f"transform: {said}"
    for part, evaluated in (("key", found.steps.key), ("column", found.steps.columns)):
        for one in evaluated:
            through = f", through {_shown(one.values)}" if one.values else ""
            yield f"  {part} {one.column} = {one.expression}{through}"
            yield from _both(one)


def _apply(found: Explanation) -> Iterator[str]:
    yield f"apply: {'runs' if found.statements else 'nothing to run'}"
    for statement in found.statements:
        yield f"  {statement.sql}{f'   -- {statement.condition}' if statement.condition else ''}"
        yield f"    records = {_shown(statement.records)}"


def _target(found: Explanation) -> Iterator[str]:
    target = found.target
    if target is None:
        yield "target: the record has no key, so no row is its own"
        return
    if target.fault:
        yield f"target: cannot be compared: {target.fault}"
        return
    yield f"target: the row is {'there' if target.found else 'not there'}"
    for column in target.columns:
        differs = "differs" if column.differs else "same"
        now = _shown(column.now) if target.found else "no row"
        yield f"  {column.column}: {now}, by the rule {_shown(column.wanted)}: {differs}"


def _state(found: Explanation) -> Iterator[str]:
    state = found.state
    if state.link is not None:
        row = f"has the row {state.link.key}" if state.link.key else "had a row that is deleted"
        yield f"link: {state.link.record} {row}, since change {state.link.change_id}"
    if state.applied_at:
        yield f"ledger: applied at {state.applied_at} by version {state.applied_version} of the rule"
    else:
        yield "ledger: this change was not applied under this rule"
    for letter in state.letters:
        yield f"dead letter {letter.id}: {letter.cause}, {letter.message} ({letter.held} changes wait)"
    for wait in state.waits:
        said = f"{wait.message}, since {wait.since}, until {wait.due_at}"
        yield f"wait {wait.id}: change {wait.change_id}: {said} ({wait.held} changes wait behind it)"
    if state.waits_behind is not None and state.waits_behind not in {wait.id for wait in state.waits}:
        yield f"held: changes of this record wait behind dead letter {state.waits_behind}"
    if state.paused:
        yield f"paused: {state.paused}"


def _shown(value: Any) -> str:
    return _ENCODER.encode(value).decode()
