"""The delete guard: deletes of a mass wait for approval, and a record that comes back cancels its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stages.delete_burst import is_guarded
from stages.hold import EVERY_RULE, Block, keys_of, table_of
from stages.reject import Cause
from stages.write import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stages.change import Change
    from stages.hold import Holds
    from stages.passage import Passage
    from stages.write import Write

Name = tuple[int, int]  # change, rule


class Pending(msgspec.Struct, frozen=True):
    """A record that waits behind a burst, and the delete that its return would cancel."""

    letter: int
    delete: int | None  # None: more than the delete waits


class Pair(msgspec.Struct, frozen=True):
    """A held delete and the change that brings its record back."""

    block: Block
    delete: int
    back: int


class Sorting:
    """What becomes of a batch's writes under the guard."""

    def __init__(self, known: Mapping[Block, Pending], holds: Holds) -> None:
        self._state = dict(known)
        self._holds = holds
        self._others: set[Block] = set()  # records that wait for another reason, or fail in this batch
        self.held: dict[Name, int] = {}  # behind which letter
        self.pairs: dict[Name, Pair] = {}  # by what brings the record back
        self.touched: set[Block] = set()

    def sort(
        self,
        passages: Sequence[Passage],
        letter_for: Callable[[Change, int], int | None],
        repeated: frozenset[Name],
    ) -> None:
        """Look at every write in order. `letter_for` tells the letter that a rule's delete waits behind."""
        seen = set(repeated)
        for passage in passages:
            change = passage.change
            if change is None:
                continue
            for reject in passage.rejects:
                if reject.cause is not Cause.NO_KEY:
                    self._fails(_blocks(change, reject.rule_id or EVERY_RULE))
            for write in passage.writes:
                name = (change.id, write.rule)
                if name not in seen:
                    seen.add(name)
                    self._one(change, write, letter_for)

    def pending(self) -> dict[Block, Pending]:
        """The records that wait behind a burst because of this batch, or for which more waits than did."""
        return {block: self._state[block] for block in self.touched if block in self._state}

    def waiting(self, known: Mapping[Block, Pending]) -> dict[Block, int]:
        """The records that waited before the batch and are not back."""
        back = {pair.block for pair in self.pairs.values()}
        return {block: pending.letter for block, pending in known.items() if block not in back}

    def _fails(self, blocks: Sequence[Block]) -> None:
        if any(block in self._state for block in blocks):
            self._waits_too(blocks)
        else:
            self._others.update(blocks)

    def _waits_too(self, blocks: Sequence[Block]) -> None:
        letter = next(self._state[block].letter for block in blocks if block in self._state)
        for block in blocks:
            self._state[block] = Pending(letter, None)
            self.touched.add(block)

    def _one(self, change: Change, write: Write, letter_for: Callable[[Change, int], int | None]) -> None:
        blocks = _blocks(change, write.rule)
        every = _blocks(change, EVERY_RULE)
        if self._others.intersection((*blocks, *every)) or self._holds.would_hold(change, write.rule):
            self._others.update(blocks)
            return
        found = next((block for block in blocks if block in self._state), None)
        if found is None:
            letter = letter_for(change, write.rule) if is_guarded(change, write) else None
            if letter is not None:
                self.held[change.id, write.rule] = letter
                self._state[blocks[-1]] = Pending(letter, change.id)
                self.touched.add(blocks[-1])
            return
        delete = self._state[found].delete
        if delete is None or write.action is not Action.UPSERT or len(blocks) > 1:
            self._waits_too(blocks)
            return
        self.pairs[change.id, write.rule] = Pair(found, delete, change.id)
        self.held.pop((delete, write.rule), None)
        del self._state[found]


def edited(
    passages: Sequence[Passage], pairs: Mapping[Name, Pair], writes: Mapping[Name, Write | None]
) -> list[Passage]:
    """The passages without cancelled deletes, and with what a return comes to in place of its upsert."""
    cancelled = {(pair.delete, pair.block.rule) for pair in pairs.values()}
    if not pairs:
        return list(passages)
    return [_edited(passage, cancelled, writes) for passage in passages]


def without_deletes(passage: Passage) -> Passage:
    """The passage without its deletes: a person has refused them."""
    change = passage.change
    if change is None:
        return passage
    writes = tuple(write for write in passage.writes if not is_guarded(change, write))
    return msgspec.structs.replace(passage, writes=writes)


def _edited(passage: Passage, cancelled: set[Name], writes: Mapping[Name, Write | None]) -> Passage:
    change = passage.change
    if change is None:
        return passage
    names = [(change.id, write.rule) for write in passage.writes]
    if not any(name in cancelled or name in writes for name in names):
        return passage
    kept: list[Write] = []
    for name, write in zip(names, passage.writes, strict=True):
        if name in cancelled:
            continue
        changed = writes.get(name, write)
        if changed is not None:
            kept.append(changed)
    return msgspec.structs.replace(passage, writes=tuple(kept))


def _blocks(change: Change, rule: int) -> list[Block]:
    table = table_of(change)
    return [Block(rule, table, key) for key in keys_of(change)]
