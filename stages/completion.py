"""Completing what was begun: a record that was written without a reference gets it, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stages.write import Action

if TYPE_CHECKING:
    from collections.abc import Collection

    from stages.passage import Passage
    from stages.rules.compile import CompiledRules
    from stages.write import Write


def completed(passage: Passage, begun: Collection[tuple[int, int]], rules: CompiledRules) -> Passage:
    """The passage, whose writes that were begun only write what was left out; `begun`: (change, rule)."""
    change = passage.change
    if change is None or not begun:
        return passage
    writes = tuple(
        _rest(write, rules) if (change.id, write.rule) in begun else write for write in passage.writes
    )
    return msgspec.structs.replace(passage, writes=writes)


def _rest(write: Write, rules: CompiledRules) -> Write:
    rule = rules.by_id[write.rule]
    if write.action is not Action.UPSERT:
        return write
    referring = {*write.wanted, *(name for key in rule.foreign_keys if key.circular for name in key.columns)}
    changed = tuple(name for name in write.values if name in referring)
    return msgspec.structs.replace(write, action=Action.UPDATE, changed=changed)
