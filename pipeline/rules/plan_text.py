"""A plan as plain lines: + added, ~ changed, - removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.rules.plan import Plan
    from pipeline.rules.touched import Touched
    from stages.rules.difference import Difference, FieldChange, RuleChange

_SIGNS: Final = {"added": "+", "changed": "~", "removed": "-"}


def lines(plan: Plan) -> Iterator[str]:
    """The lines that tell a person what would happen."""
    if plan.is_empty:
        yield f"no difference: rule set {plan.live_version} says the same"
    yield from difference_lines(plan.difference, plan.touched)
    for captured in plan.capture.install:
        yield f"+ capture on {captured}, records told apart by {', '.join(captured.identity)}"
    for captured in plan.capture.remove:
        yield f"- capture on {captured}"
    for circle in plan.circles:
        kind = "both ways between" if len(circle.tables) == 2 else "a circle of"
        yield f"{kind} {', '.join(circle.tables)} (rules {', '.join(circle.rules)}): {circle.settles}"
        for one in circle.rewrites:
            yield (
                f"    {one.column} = {one.way}, and back {one.back}: each org keeps its own form; should"
                " automation rewrite it there, the record is set aside after ORGSTREAM_ECHO_ROUNDS rounds"
            )


def difference_lines(difference: Difference, touched: Mapping[str, Touched] | None = None) -> Iterator[str]:
    """The lines that tell a difference; `touched` has the records by rule."""
    for org in difference.orgs:
        yield f"{_SIGNS[org.sign]} org {org.name}"
        yield from _fields(org.fields)
    for change in difference.rules:
        records = (touched or {}).get(change.rule.name)
        yield f"{_SIGNS[change.sign]} {_rule(change)}{_said(change, records)}"
        yield from _fields(change.fields)
    for table in difference.tables:
        yield f"~ table {table.name}"
        yield from _fields(table.fields)


def _rule(change: RuleChange) -> str:
    rule = change.rule
    version = f" version {rule.version}" if change.sign == "changed" else ""
    return f"rule {rule.name}{version} from {rule.source} to {rule.target}"


def _said(change: RuleChange, touched: Touched | None) -> str:
    off = change.after is not None and not change.after.enabled
    said = [*(["switched off"] if off else []), *([str(touched)] if touched else [])]
    return f" ({'; '.join(said)})" if said else ""


def _fields(fields: tuple[FieldChange, ...]) -> Iterator[str]:
    for change in fields:
        yield f"    {change.field}: {_value(change.before)} -> {_value(change.after)}"


def _value(value: Any) -> str:
    return "none" if value is None else msgspec.json.encode(value).decode()
