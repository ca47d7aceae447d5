"""The steps that are asked before a batch is planned: by need, and one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.postgres.knowledge import Edited, Steps, edit
from stages.apply import plan_writes
from stages.hold import Holds
from stages.need import Need
from stages.omit import Omitted
from tests.unit.stages.ruled import compiled, passage, row, transformed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stages.apply import Plan
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules

RULES = compiled()
NEEDY = msgspec.structs.replace(RULES, needs=frozenset({Need.LOOKUPS}))


class _Naming:
    """Writes its own name into every write, behind those that are there."""

    need = Need.LOOKUPS

    def __init__(self, name: str) -> None:
        self._name = name
        self.remembered: list[Plan] = []
        self.prepared: list[Plan] = []

    def edit(self, passages: Sequence[Passage], _: CompiledRules, __: Callable[[], Omitted]) -> Edited:
        named = []
        for one in passages:
            writes = tuple(
                msgspec.structs.replace(w, values=w.values | {"name": w.values["name"] + self._name})
                for w in one.writes
            )
            named.append(msgspec.structs.replace(one, writes=writes))
        return Edited(named, self.remembered.append, self.prepared.append)


def test_a_rule_set_without_needs_asks_nothing() -> None:
    steps = Steps([_Naming("1")])
    assert RULES.needs == frozenset()
    assert not steps.of(RULES)
    assert len(steps.of(NEEDY)) == 1


def test_steps_edit_one_after_the_other_and_remember_by_the_plan() -> None:
    first, second = _Naming("1"), _Naming("2")
    given = transformed(RULES, passage(None, row()))
    assert given is not None
    edited = edit(Steps([first, second]).of(NEEDY), [given], NEEDY, lambda: Omitted(Holds({}), frozenset()))
    assert edited.passages[0].writes[0].values["name"] == "Ann12"
    plan = plan_writes(edited.passages, NEEDY, Holds({}), applied=frozenset())
    edited.prepare(plan)
    edited.remember(plan)
    assert first.prepared == second.prepared == [plan]
    assert first.remembered == second.remembered == [plan]
