"""Stage four: a batch of writes becomes few statements, one row per target record in each."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

import msgspec

from stages.hold import EVERY_RULE, Block, Held
from stages.layers import Layers, Statement
from stages.reject import Reject
from stages.wait import Wait
from stages.write import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stages.hold import Holds
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules


class LedgerEntry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The idempotency key of one write, and the version of the rule that decided it."""

    change_id: int
    rule_id: int
    rule_version: int


class Plan(msgspec.Struct, frozen=True):
    """What one apply transaction does."""

    statements: tuple[Statement, ...]
    ledger: tuple[LedgerEntry, ...]
    rejects: tuple[Reject, ...]
    held: tuple[Held, ...]
    blocks: dict[Block, int | Reject | Wait]  # what is held from now on, and behind which letter or wait
    waits: tuple[Wait, ...] = ()
    conflicts: tuple[tuple[int, str], ...] = ()  # rule and winner of each that was decided on the way


def plan_writes(
    batch: Sequence[Passage], rules: CompiledRules, holds: Holds, *, applied: frozenset[tuple[int, int]]
) -> Plan:
    """Fold a batch into statements.

    Left out are the writes that the ledger already holds (`applied`), and those that have to wait.
    """
    layers = Layers()
    ledger: dict[tuple[int, int], LedgerEntry] = {}
    rejects: list[Reject] = []
    waits: list[Wait] = []
    for passage in batch:
        change = passage.change
        if change is None:
            rejects += passage.rejects
            continue
        for reject in passage.rejects:
            if not holds.any or not holds.hold(change, reject.rule_id or EVERY_RULE):
                rejects.append(reject)
                holds.begin(change, reject)
        for wait in passage.waits:
            if (change.id, wait.rule_id) not in applied and not holds.hold(change, wait.rule_id):
                waits.append(wait)
                holds.begin(change, wait)
        path = onward(change.path, rules.org_of[change.schema])
        for write in passage.writes:
            name = (change.id, write.rule)
            # A change that was published twice may come twice in one batch.
            if name in applied or name in ledger or (holds.any and holds.hold(change, write.rule)):
                continue
            rule = rules.by_id[write.rule]
            if write.action is not _NONE:
                layers.add(rule, path, write)
            ledger[name] = LedgerEntry(change.id, write.rule, rule.rule.version)
    statements, entries = tuple(layers.statements()), tuple(ledger.values())
    return Plan(statements, entries, tuple(rejects), tuple(holds.held), holds.added, tuple(waits))


_NONE: Final = Action.NONE  # the member itself: it takes as long to look one up as to call a function


@functools.lru_cache(maxsize=4096)
def onward(path: tuple[str, ...], org: str) -> tuple[str, ...]:
    """The orgs that a write comes through; the same object each time, so that equal paths are soon told."""
    return (*path, org)
