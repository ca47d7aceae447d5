"""A batch once more: changes that waited for a row which the same batch has written by now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stages.apply import Plan, onward
from stages.layers import Layers
from stages.wait import Wait

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from stages.passage import Passage
    from stages.rules.compile import CompiledRules


def waiting_of(plan: Plan, batch: Sequence[Passage]) -> list[Passage]:
    """The changes of a batch that wait by its plan, and those held behind them, as they came."""
    names = {(wait.change_id, wait.rule_id) for wait in plan.waits}
    names |= {(held.change_id, held.rule) for held in plan.held if isinstance(held.behind, Wait)}
    found = []
    for passage in batch:
        if passage.change is not None:
            change = passage.change.id
            writes = tuple(write for write in passage.writes if (change, write.rule) in names)
            rejects = tuple(reject for reject in passage.rejects if (change, reject.rule_id) in names)
            if writes or rejects:
                found.append(msgspec.structs.replace(passage, writes=writes, rejects=rejects))
    return found


def merged(plan: Plan, later: Plan) -> Plan:
    """Both plans as one: what waited by the first is settled by the later, as far as it is."""
    blocks = {b: by for b, by in plan.blocks.items() if not isinstance(by, Wait)}
    return Plan(
        plan.statements + later.statements,
        plan.ledger + later.ledger,
        plan.rejects + later.rejects,
        (*(held for held in plan.held if not isinstance(held.behind, Wait)), *later.held),
        {**blocks, **later.blocks},
        later.waits,
        plan.conflicts + later.conflicts,
    )


def begun(plan: Plan, names: Collection[tuple[int, int]]) -> Plan:
    """The plan, whose waits know that they were written without the reference."""
    marked = {
        id(wait): msgspec.structs.replace(wait, begun=True)
        for wait in plan.waits
        if (wait.change_id, wait.rule_id) in names
    }
    return msgspec.structs.replace(
        plan,
        waits=tuple(marked.get(id(wait), wait) for wait in plan.waits),
    )


def plan_partly(waits: Sequence[Wait], batch: Sequence[Passage], rules: CompiledRules) -> Plan:
    """The writes of waiting changes without the reference. They are not in the ledger: they are not whole."""
    layers = Layers()
    by_change = {(wait.change_id, wait.rule_id): wait.partly for wait in waits}
    for passage in batch:
        if passage.change is None:
            continue
        path = onward(passage.change.path, rules.org_of[passage.change.schema])
        for write in passage.writes:
            partly = by_change.get((passage.change.id, write.rule))
            if partly is not None:
                layers.add(rules.by_id[write.rule], path, partly)
    return Plan(tuple(layers.statements()), (), (), (), {})
