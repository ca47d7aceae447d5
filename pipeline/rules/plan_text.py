"""A plan as plain lines: + added, ~ changed, - removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.rules.plan import Plan
    from stages.rules.difference import FieldChange, RuleChange

_SIGNS: Final = {"added": "+", "changed": "~", "removed": "-"}


def lines(plan: Plan) -> Iterator[str]:
    """The lines that tell a person what would happen."""
    if plan.is_empty:
        yield f"no difference: rule set {plan.live_version} says the same"
    yield from _differences(plan)
    for circle in plan.circles:
        kind = "both ways between" if len(circle.tables) == 2 else "a circle of"
        yield f"{kind} {', '.join(circle.tables)} (rules {', '.join(circle.rules)}): {circle.settles}"


def _differences(plan: Plan) -> Iterator[str]:
    for org in plan.difference.orgs:
        yield f"{_SIGNS[org.sign]} org {org.name}"
        yield from _fields(org.fields)
    for change in plan.difference.rules:
        yield f"{_SIGNS[change.sign]} {_rule(change)}{_records(plan, change)}"
        yield from _fields(change.fields)
    for table in plan.difference.tables:
        yield f"~ table {table.name}"
        yield from _fields(table.fields)
    for captured in plan.capture.install:
        yield f"+ capture on {captured}, records told apart by {', '.join(captured.identity)}"
    for captured in plan.capture.remove:
        yield f"- capture on {captured}"


def _rule(change: RuleChange) -> str:
    rule = change.rule
    version = f" version {rule.version}" if change.sign == "changed" else ""
    return f"rule {rule.name}{version} from {rule.source} to {rule.target}"


def _records(plan: Plan, change: RuleChange) -> str:
    off = change.after is not None and not change.after.enabled
    touched = plan.touched.get(change.rule.name)
    said = [*(["switched off"] if off else []), *([str(touched)] if touched else [])]
    return f" ({'; '.join(said)})" if said else ""


def _fields(fields: tuple[FieldChange, ...]) -> Iterator[str]:
    for change in fields:
        yield f"    {change.field}: {_value(change.before)} -> {_value(change.after)}"


def _value(value: Any) -> str:
    return "none" if value is None else msgspec.json.encode(value).decode()
