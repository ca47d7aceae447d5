"""Past writes of one rule, made fit for a target that has taken some of them already.

A row is not deleted where its record is there again later on, and not renamed where it bears its new key
already: else the fold would remake rows that stand as they should, and Salesforce would make new records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from stages.write import Action, Write

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

Key = tuple[Any, ...]
Past = tuple[int, Write]  # change, what the rule wrote for it


def settled(writes: Sequence[Past], applied: Set[int]) -> list[Past]:
    """The writes to make of `writes`, which are in order; `applied` are the changes in the ledger."""
    latest = {write.key: change for change, write in writes if change in applied}
    standing: dict[Key, list[Past]] = {}  # what is to be done about the row of each key
    gone: dict[Key, int] = {}  # rows that nothing renames any more
    for change, write in writes:
        if write.action is Action.DELETE:
            for one in standing.pop(write.key, []):
                _give_up(one, gone)
            gone[write.key] = change
        elif write.old_key is None:
            standing.setdefault(write.key, []).append((change, write))
        else:
            before = standing.pop(write.old_key, [])
            if latest.get(write.key, 0) >= change:  # the row bears this key already
                if change not in applied:
                    gone[write.old_key] = change
                standing[write.key] = [_at(write.key, one, gone) for one in (*before, (change, write))]
            else:
                standing[write.key] = [*_made_room(write, gone, applied), *before, (change, write)]
    kept = [one for chain in standing.values() for one in chain]
    left = {one.old_key for _, one in kept if one.old_key is not None}
    deletes = [
        (change, Write(writes[0][1].rule, Action.DELETE, key))
        for key, change in gone.items()
        if key not in standing and key not in left
    ]
    return sorted([*kept, *deletes], key=lambda past: past[0])


def _made_room(write: Write, gone: dict[Key, int], applied: Set[int]) -> list[Past]:
    """The delete of the row that bore this key before, where the target still has it."""
    change = gone.get(write.key)
    if change is None or change in applied:
        return []
    return [(change, Write(write.rule, Action.DELETE, write.key))]


def _at(key: Key, past: Past, gone: dict[Key, int]) -> Past:
    """The same for the row that bears another key by now."""
    change, write = past
    if write.old_key is not None and write.key != key:
        gone[write.old_key] = change
    return change, msgspec.structs.replace(write, key=key, old_key=None)


def _give_up(past: Past, gone: dict[Key, int]) -> None:
    """What is deleted later need not be written; the row that was to be renamed goes."""
    change, write = past
    if write.old_key is not None:
        gone[write.old_key] = change
