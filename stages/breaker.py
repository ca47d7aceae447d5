"""The breaker: a rule that fails for record after record is at fault itself, not the records."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stages.apply import Plan
    from stages.rules.compile import CompiledRules


class Breaker:
    """Counts, for each rule, the records that failed since it last wrote one."""

    def __init__(self, limit: int) -> None:
        """`limit` is for the rules that state none of their own."""
        self._limit = limit
        self._failures: dict[int, int] = {}

    def limit(self, rule: int, rules: CompiledRules) -> int:
        """After how many records in a row the rule is to be paused."""
        compiled = rules.by_id.get(rule)
        own = compiled.rule.breaker if compiled is not None else None
        return self._limit if own is None else own

    def count(self, plan: Plan, rules: CompiledRules) -> list[tuple[int, str]]:
        """Count a committed plan; the rules (number, name) that have reached the limit: to be paused."""
        for entry in plan.ledger:
            self._failures.pop(entry.rule_id, None)
        broken: list[tuple[int, str]] = []
        for reject in plan.rejects:
            rule = reject.rule_id
            if rule is None:
                continue
            self._failures[rule] = self._failures.get(rule, 0) + 1
            if self._failures[rule] >= self.limit(rule, rules):
                del self._failures[rule]
                broken.append((rule, reject.rule or ""))
        return broken
