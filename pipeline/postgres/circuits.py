"""The breaker at work: rules that fail for record after record are paused in Postgres."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.log import get_logger

if TYPE_CHECKING:
    from pipeline.postgres.holds import KnownHolds
    from stages.apply import Plan
    from stages.breaker import Breaker
    from stages.rules.compile import CompiledRules

log = get_logger()


class Circuits:
    """What one worker counts, and pauses."""

    def __init__(self, holds: KnownHolds, breaker: Breaker) -> None:
        self._holds = holds
        self._breaker = breaker

    def count(self, plan: Plan, rules: CompiledRules) -> None:
        """Count a committed plan; pause the rules that have failed too often."""
        for rule_id, name in self._breaker.count(plan, rules):
            self._holds.pause(rule_id, f"failed for {self._breaker.limit(rule_id, rules)} records in a row")
            self._holds.reload()
            log.error(
                "a rule fails for every record and is paused; its changes are held",
                action="rule_paused",
                rule=name,
            )
