"""Rounds within one apply transaction: parents and children of one batch need no wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stages.again import begun, merged, plan_partly, waiting_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stages.apply import Plan
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules

_MOST: Final = 20  # a longer chain of parents goes on when the first of them have arrived


def settle(
    plan: Plan,
    batch: Sequence[Passage],
    rules: CompiledRules,
    carry_out: Callable[[Sequence[Passage]], Plan],
    execute: Callable[[Plan], None],
) -> Plan:
    """Try what waits again, as long as that gets on; all that the transaction did, as one plan.

    `carry_out` asks for what the changes need, plans and writes them. Records that wait for each other are
    written without the reference once nothing else gets on. Raises what these raise.
    """
    partly: set[tuple[int, int]] = set()
    for _ in range(_MOST):
        if not plan.waits:
            break
        rest = waiting_of(plan, batch)
        later = carry_out(rest)
        got_on = bool(later.ledger or later.rejects)
        plan = merged(plan, later)
        if not got_on:
            fresh = [
                wait
                for wait in plan.waits
                if wait.partly is not None and (wait.change_id, wait.rule_id) not in partly
            ]
            if not fresh:
                break
            execute(plan_partly(fresh, rest, rules))
            partly |= {(wait.change_id, wait.rule_id) for wait in fresh}
    return begun(plan, partly) if partly else plan
