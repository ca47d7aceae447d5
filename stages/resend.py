"""Answers: where an older edit lost, what stands there is sent on once more, to whoever has the loser.

The winner need not be on its way: an edit to the value that was there already changes no row, so nobody was
told of it. For the same reason whoever has the value already tells others when it was edited again. It comes
to rest, because stamps only rise: what brings nothing later goes nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from stages.change import Change, Operation
from stages.scene import Present, Spot
from stages.stamp import ALL, Stamps

if TYPE_CHECKING:
    from stages.rules.compile import CompiledRule
    from stages.scene import Row, Scene
    from stages.write import Write


class Answer(msgspec.Struct):
    """What a record's source is to be told; `lost` are the values that lost, by column of the target."""

    spot: Spot
    present: Present
    columns: tuple[str, ...]  # all of the target's
    lost: dict[str, Any] = {}
    revive: bool = False  # a delete lost

    def change(self) -> tuple[Operation, Row | None, Row | None, Stamps] | None:
        """As a change of the target: operation, before, after and stamps; None where there is none."""
        row, deleted = self.present.row, self.present.deleted
        if row is None:
            if deleted is None:
                return None
            key = dict(zip(self.spot.key_columns, self.spot.key, strict=True))
            before = {**dict.fromkeys(self.columns), **self.lost, **key}
            return Operation.DELETE, before, None, {ALL: deleted}
        row = {
            **dict.fromkeys(self.columns),
            **row,
        }  # of one that this batch makes, only what it writes is known
        if self.revive:
            return Operation.INSERT, None, row, self.present.stamps
        return Operation.UPDATE, {**row, **self.lost}, row, self.present.stamps


def is_answer(change: Change) -> bool:
    """Whether a change is an answer: made by us, and not by a write of ours."""
    return change.origin == "orgstream" and not change.path


class Answers:
    """The answers of a batch, one for each record."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._found: dict[int, Answer] = {}

    def add(self, rule: CompiledRule, write: Write, lost: dict[str, Any], *, revive: bool) -> None:
        """What a write is answered: the values of it that lost, or that the whole record outlived it."""
        answer = self._of(rule, write)
        answer.lost = {**answer.lost, **lost}
        answer.revive = answer.revive or revive

    def all(self) -> list[Answer]:
        """In the order of the records' first losses."""
        return list(self._found.values())

    def _of(self, rule: CompiledRule, write: Write) -> Answer:
        present = self._scene.at(rule, write.key)
        answer = self._found.get(id(present))
        if answer is None:
            columns = tuple(column.name for column in rule.target.columns)
            name = rule.target.name
            spot = Spot(name.schema, name.name, rule.key_columns, write.key)
            answer = self._found[id(present)] = Answer(spot, present, columns)
        return answer
